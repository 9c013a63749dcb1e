using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

internal enum TensorCopyKind { Load, Store, Add, Min, Max, And, Or, Xor }

/// <summary>
/// <c>cp.async.bulk.tensor</c> and <c>cp.reduce.async.bulk.tensor</c>: tiles of a tensor, done at once. The map's address is in row A plus <c>Imm</c>.
/// </summary>
/// <remarks>
/// Operands: kind; dimensions; row, offset and width of the shared address; the same of the mbarrier's; row of the multicast mask (negative: none);
/// a row for each coordinate.
/// </remarks>
internal static unsafe class TensorCopy
{
    public const int OperandKind = 0, OperandRank = 1, OperandShared = 2, OperandBarrier = 5, OperandMulticast = 8, OperandCoordinates = 9;

    private const int Chunk = 16, MapAlignment = 64;

    public static Instr* Run(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        int* o = i->Operands;
        var kind = (TensorCopyKind)o[OperandKind];
        int* at = stackalloc int[TensorMap.MostDimensions];
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            TensorMapImage* map = (TensorMapImage*)GenericSpace.Resolve(warp, i, lane, MapAlignment, TensorMap.Bytes);
            if (!map->IsValid) throw new FaultException(FindingKind.InvalidOperand, "this is no tensor map: pass one by value, encoded by the device that runs the kernel", i, lane);
            if (map->Rank != o[OperandRank]) throw new FaultException(FindingKind.InvalidOperand, $"the tensor map has {map->Rank} dimensions, not {o[OperandRank]}", i, lane);
            for (int n = 0; n < map->Rank; n++) at[n] = ((int*)(r + o[OperandCoordinates + n]))[lane];
            ulong shared = SharedAddress(r, o + OperandShared, lane);
            if (shared % (map->Swizzle == 0 ? Chunk : 128u) != 0)
                throw new FaultException(FindingKind.Misaligned, $"misaligned access: a tile at shared offset {shared}, which is no multiple of {(map->Swizzle == 0 ? Chunk : 128)}", i, lane) { Address = shared };
            if (kind == TensorCopyKind.Load) Load(warp, i, lane, map, at, shared);
            else Move(warp, i, lane, map, at, Access.Shared(warp, i, lane, shared, Chunk, map->TileBytes), (uint)shared & Cluster.OffsetMask, kind);
        }
        return i + 1;
    }

    /// <summary>The shared address one of three operands gives to a lane.</summary>
    public static ulong SharedAddress(byte* r, int* operand, int lane) =>
        operand[2] != 0 ? ((ulong*)(r + operand[0]))[lane] + (ulong)(long)operand[1] : ((uint*)(r + operand[0]))[lane] + (uint)operand[1];

    private static void Load(Warp* warp, Instr* i, int lane, TensorMapImage* map, int* at, ulong shared)
    {
        byte* r = warp->Registers;
        int* o = i->Operands;
        ulong barrier = SharedAddress(r, o + OperandBarrier, lane);
        int bytes = map->TileBytes;
        if (o[OperandMulticast] < 0)
        {
            Move(warp, i, lane, map, at, Access.Shared(warp, i, lane, shared, Chunk, bytes), (uint)shared & Cluster.OffsetMask, TensorCopyKind.Load);
            BarrierObjects.Transact(warp, (ulong*)Access.Shared(warp, i, lane, barrier, sizeof(ulong), sizeof(ulong)), -bytes);
            return;
        }
        // The same place in each of the blocks, and there the same mbarrier.
        for (uint blocks = ((uint*)(r + o[OperandMulticast]))[lane] & 0xFFFF; blocks != 0; blocks &= blocks - 1)
        {
            ulong rank = (ulong)(Bits.TrailingZeroCount(blocks) + 1) << Cluster.RankShift;
            byte* to = Access.FarShared(warp, i, lane, (shared & Cluster.OffsetMask) | rank, Chunk, bytes);
            Move(warp, i, lane, map, at, to, (uint)shared & Cluster.OffsetMask, TensorCopyKind.Load);
            BarrierObjects.Transact(warp, (ulong*)Access.FarShared(warp, i, lane, (barrier & Cluster.OffsetMask) | rank, sizeof(ulong), sizeof(ulong)), -bytes);
        }
    }

    /// <summary>Row after row of a tile. <paramref name="offset"/> is where <paramref name="tile"/> lies in its block's shared memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Move(Warp* warp, Instr* i, int lane, TensorMapImage* map, int* at, byte* tile, uint offset, TensorCopyKind kind)
    {
        int size = map->ElementBytes, step = map->Steps[0];
        byte* origin = tile - offset;
        MemoryRange range = default;
        var walk = new TensorWalk(map, at);
        var (from, to, across) = (walk.From, walk.To, walk.Across);
        while (walk.MoveNext())
        {
            uint start = offset + (uint)walk.Offset;
            if (kind == TensorCopyKind.Load && (!walk.IsInside || from > 0 || to < across)) Fill(map, origin, start, across * size);
            if (!walk.IsInside) continue;
            byte* host = Resolve(warp, i, lane, ref range, walk.Global, walk.Span);
            if (step == 1) Row(map, kind, host, origin, start + (uint)(from * size), walk.Span, size);
            else
                for (int x = from; x < to; x++) Row(map, kind, host + (x - from) * step * size, origin, start + (uint)(x * size), size, size);
        }
    }

    private static byte* Resolve(Warp* warp, Instr* i, int lane, ref MemoryRange range, ulong address, int bytes)
    {
        if (address - range.Start >= range.Length)
        {
            MemoryRange* found = warp->Block->Heap->Find(address);
            if (found == null) throw new OutOfBoundsException(address, bytes, i, lane);
            range = *found;
        }
        if (range.Length - (address - range.Start) < (ulong)bytes) throw new OutOfBoundsException(range.Start + range.Length, bytes, i, lane);
        return (byte*)(range.ToHost + (long)address);
    }

    private static uint Place(TensorMapImage* map, uint offset) => offset ^ ((offset >> 7 & map->PatternMask) << 4);

    /// <summary>Elements next to each other, in pieces of at most 16 bytes as the pattern moves them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(TensorMapImage* map, TensorCopyKind kind, byte* global, byte* origin, uint offset, int bytes, int size)
    {
        if (kind == TensorCopyKind.Load && (offset | (uint)bytes) % Chunk == 0)
        {
            uint pattern = map->PatternMask;
            for (uint end = offset + (uint)bytes; offset < end; offset += Chunk, global += Chunk)
                Vector128.Load(global).Store(origin + (offset ^ ((offset >> 7 & pattern) << 4)));
            return;
        }
        while (bytes > 0)
        {
            int piece = Math.Min(bytes, Chunk - (int)(offset % Chunk));
            byte* shared = origin + Place(map, offset);
            if (kind > TensorCopyKind.Store) TensorReduction.Run(kind, map->Element, global, shared, piece / size);
            else if (piece == Chunk) Vector128.Load(kind == TensorCopyKind.Load ? global : shared).Store(kind == TensorCopyKind.Load ? shared : global);
            else if (kind == TensorCopyKind.Load) NativeMemory.Copy(global, shared, (nuint)piece);
            else NativeMemory.Copy(shared, global, (nuint)piece);
            global += piece;
            (offset, bytes) = (offset + (uint)piece, bytes - piece);
        }
    }

    private static void Fill(TensorMapImage* map, byte* origin, uint offset, int bytes)
    {
        Vector128<byte> value = map->FillsWithNaN == 0 ? default : map->ElementBytes switch
        {
            2 => Vector128.Create((ushort)0x7FFF).AsByte(),
            4 => Vector128.Create(0x7FFF_FFFFu).AsByte(),
            _ => Vector128.Create(0x7FFF_FFFF_FFFF_FFFFul).AsByte(),
        };
        for (uint end = offset + (uint)bytes; offset < end;)
        {
            uint piece = Math.Min(end - offset, Chunk - offset % Chunk);
            byte* to = origin + Place(map, offset);
            for (uint n = 0; n < piece; n++) to[n] = value[(int)((offset + n) % Chunk)];
            offset += piece;
        }
    }
}
