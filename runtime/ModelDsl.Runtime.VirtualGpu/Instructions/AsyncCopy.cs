using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>
/// <c>cp.async</c>: done at once, which is one of the orders the hardware may choose. Shared address row D (32 bits, or 64 where
/// <c>F</c> says so) plus C, global address row A plus <c>Imm</c>, source size row B (negative: all), size in E.
/// </summary>
internal static unsafe class AsyncCopy
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Run(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        uint full = mask, none = 0;
        if (i->B >= 0)
        {
            Vector512<uint> low = Lanes.Load(r + i->B, 0), high = Lanes.Load(r + i->B, 1), size = Vector512.Create((uint)i->E);
            full &= Where(Vector512.Equals(low, size), Vector512.Equals(high, size));
            none = mask & Where(Vector512.Equals(low, Vector512<uint>.Zero), Vector512.Equals(high, Vector512<uint>.Zero));
        }
        if ((full | none) != mask || i->E != 16 || i->F != 0 || !SharedFits(warp, i, mask)) return LaneByLane(warp, i, mask);
        byte* from = full == 0 ? null : GlobalSpace.ResolveAll(warp, i, full, 16), to = warp->Block->Shared;
        if (full != 0 && from == null) return LaneByLane(warp, i, mask);
        uint* offsets = (uint*)(r + i->D);
        for (uint left = full; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            Vector128.Load(from + GlobalSpace.Offset(warp, i, lane)).Store(to + (offsets[lane] + (uint)i->C));
        }
        for (uint left = none; left != 0; left &= left - 1)
            Vector128<byte>.Zero.Store(to + (offsets[Bits.TrailingZeroCount(left)] + (uint)i->C));
        return i + 1;
    }

    /// <summary>
    /// <c>cp.async.bulk</c>, done at once: so many bytes as row B says, from global to shared memory where E is one, else the other way.
    /// Shared address in D, C and F, global address in A, as above.
    /// </summary>
    public static Instr* Bulk(Warp* warp, Instr* i, uint mask)
    {
        const uint Unit = 16;
        byte* r = warp->Registers;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            uint bytes = ((uint*)(r + i->B))[lane];
            if (bytes % Unit != 0) throw new FaultException(FindingKind.InvalidOperand, $"a bulk copy moves multiples of {Unit} bytes, not {bytes}", i, lane);
            if (bytes == 0) continue;
            ulong offset = i->F != 0 ? ((ulong*)(r + i->D))[lane] + (ulong)(long)i->C : ((uint*)(r + i->D))[lane] + (uint)i->C;
            byte* global = GlobalSpace.Resolve(warp, i, lane, (int)Unit, (int)bytes), shared = Access.Shared(warp, i, lane, offset, (int)Unit, (int)bytes);
            if (i->E != 0) Buffer.MemoryCopy(global, shared, bytes, bytes);
            else Buffer.MemoryCopy(shared, global, bytes, bytes);
        }
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Where(Vector512<uint> low, Vector512<uint> high) =>
        (uint)low.ExtractMostSignificantBits() | ((uint)high.ExtractMostSignificantBits() << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool SharedFits(Warp* warp, Instr* i, uint mask)
    {
        byte* row = warp->Registers + i->D;
        Vector512<uint> offset = Vector512.Create((uint)i->C);
        Vector512<uint> low = (Lanes.Load(row, 0) + offset) & Lanes.Mask32(mask, 0), high = (Lanes.Load(row, 1) + offset) & Lanes.Mask32(mask, 1);
        uint size = warp->Block->SharedBytes;
        return size >= 16 && ((low | high) & Vector512.Create(15u)) == Vector512<uint>.Zero
            && !Vector512.GreaterThanAny(Vector512.Max(low, high), Vector512.Create(size - 16));
    }

    /// <summary>Other sizes, sources cut short, faults.</summary>
    private static Instr* LaneByLane(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        int bytes = i->E;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ulong offset = i->F != 0 ? ((ulong*)(r + i->D))[lane] + (ulong)(long)i->C : ((uint*)(r + i->D))[lane] + (uint)i->C;
            byte* to = Access.Shared(warp, i, lane, offset, bytes, bytes);
            uint wanted = i->B < 0 ? (uint)bytes : ((uint*)(r + i->B))[lane];
            if (wanted > (uint)bytes) throw new FaultException(FindingKind.InvalidOperand, $"cp.async: source size {wanted} is more than the {bytes} bytes copied", i, lane);
            new Span<byte>(to, bytes).Clear();
            if (wanted > 0) new ReadOnlySpan<byte>(GlobalSpace.Resolve(warp, i, lane, bytes, (int)wanted), (int)wanted).CopyTo(new Span<byte>(to, bytes));
        }
        return i + 1;
    }
}
