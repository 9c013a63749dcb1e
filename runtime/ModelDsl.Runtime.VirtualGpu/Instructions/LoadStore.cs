using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

internal interface ICount
{
    static abstract int Value { get; }
}

internal readonly struct One : ICount { public static int Value => 1; }

internal readonly struct Two : ICount { public static int Value => 2; }

internal readonly struct Four : ICount { public static int Value => 4; }

/// <summary><c>ld</c> and <c>st</c>. Address row in A, data rows in B, C, E, F.</summary>
internal static unsafe class LoadStore
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Load<TSpace, TElement, TCount>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
        where TElement : struct, IElement
        where TCount : struct, ICount
    {
        byte* registers = warp->Registers;
        int* rows = &i->B;
        int bytes = TElement.Size * TCount.Value;
        if (mask == Lanes.All)
        {
            Pattern pattern = TSpace.Classify(registers + i->A, bytes);
            if (pattern == Pattern.Contiguous)
            {
                byte* from = TSpace.Resolve(warp, i, 0, bytes, bytes * 32);
                if (TCount.Value == 1) TElement.LoadRow(from, registers + rows[0]);
                else if (TElement.Size == 4 && !TElement.Wide) Transpose.Load<TCount>(from, registers, rows);
                else LoadLanes<TElement, TCount>(from, registers, rows);
                return i + 1;
            }
            if (pattern == Pattern.Uniform)
            {
                byte* from = TSpace.Resolve(warp, i, 0, bytes, bytes);
                for (int k = 0; k < TCount.Value; k++) Splat<TElement>(from + k * TElement.Size, registers + rows[k]);
                return i + 1;
            }
        }
        byte* origin = TSpace.ResolveAll(warp, i, mask, bytes);
        if (origin == null) return LoadSlowly<TSpace, TElement, TCount>(warp, i, mask);
        if (mask == Lanes.All && TCount.Value == 4 && TElement.Size == 4 && !TElement.Wide)
        {
            Transpose.LoadQuads<TSpace>(warp, i, origin);
            return i + 1;
        }
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            byte* from = origin + TSpace.Offset(warp, i, lane);
            for (int k = 0; k < TCount.Value; k++) TElement.Load(from + k * TElement.Size, registers + rows[k], lane);
        }
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Store<TSpace, TElement, TCount>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
        where TElement : struct, IElement
        where TCount : struct, ICount
    {
        byte* registers = warp->Registers;
        int* rows = &i->B;
        int bytes = TElement.Size * TCount.Value;
        if (mask == Lanes.All && TSpace.Classify(registers + i->A, bytes) == Pattern.Contiguous)
        {
            byte* to = TSpace.Resolve(warp, i, 0, bytes, bytes * 32);
            if (TCount.Value == 1) TElement.StoreRow(to, registers + rows[0]);
            else if (TElement.Size == 4 && !TElement.Wide) Transpose.Store<TCount>(to, registers, rows);
            else StoreLanes<TElement, TCount>(to, registers, rows);
            return i + 1;
        }
        byte* origin = TSpace.ResolveAll(warp, i, mask, bytes);
        if (origin == null) return StoreSlowly<TSpace, TElement, TCount>(warp, i, mask);
        if (mask == Lanes.All && TCount.Value == 4 && TElement.Size == 4 && !TElement.Wide)
        {
            byte* quads = stackalloc byte[512];
            Transpose.Store<TCount>(quads, registers, rows);
            for (int lane = 0; lane < 32; lane++) Vector128.Load(quads + 16 * lane).Store(origin + TSpace.Offset(warp, i, lane));
            return i + 1;
        }
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            byte* to = origin + TSpace.Offset(warp, i, lane);
            for (int k = 0; k < TCount.Value; k++) TElement.Store(to + k * TElement.Size, registers + rows[k], lane);
        }
        return i + 1;
    }

    /// <summary>Lane by lane with a check of each: the first access of an instruction, several allocations at once, faults.</summary>
    private static Instr* LoadSlowly<TSpace, TElement, TCount>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
        where TElement : struct, IElement
        where TCount : struct, ICount
    {
        int bytes = TElement.Size * TCount.Value;
        int* rows = &i->B;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            byte* from = TSpace.Resolve(warp, i, lane, bytes, bytes);
            for (int k = 0; k < TCount.Value; k++) TElement.Load(from + k * TElement.Size, warp->Registers + rows[k], lane);
        }
        return i + 1;
    }

    private static Instr* StoreSlowly<TSpace, TElement, TCount>(Warp* warp, Instr* i, uint mask)
        where TSpace : struct, ISpace
        where TElement : struct, IElement
        where TCount : struct, ICount
    {
        int bytes = TElement.Size * TCount.Value;
        int* rows = &i->B;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            byte* to = TSpace.Resolve(warp, i, lane, bytes, bytes);
            for (int k = 0; k < TCount.Value; k++) TElement.Store(to + k * TElement.Size, warp->Registers + rows[k], lane);
        }
        return i + 1;
    }

    /// <summary>A parameter, the same for every thread: its offset is the immediate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* LoadParameter<TElement, TCount>(Warp* warp, Instr* i, uint mask)
        where TElement : struct, IElement
        where TCount : struct, ICount
    {
        int* rows = &i->B;
        byte* from = warp->Block->Parameters + i->Imm;
        for (int k = 0; k < TCount.Value; k++, from += TElement.Size)
        {
            if (mask == Lanes.All)
            {
                Splat<TElement>(from, warp->Registers + rows[k]);
                continue;
            }
            for (uint left = mask; left != 0; left &= left - 1)
                TElement.Load(from, warp->Registers + rows[k], Bits.TrailingZeroCount(left));
        }
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Splat<TElement>(byte* from, byte* row)
        where TElement : struct, IElement
    {
        if (TElement.Wide)
        {
            Vector512<ulong> value = Vector512.Create(TElement.Value(from));
            value.Store((ulong*)row);
            value.Store((ulong*)row + 8);
            value.Store((ulong*)row + 16);
            value.Store((ulong*)row + 24);
        }
        else
        {
            Vector512<uint> value = Vector512.Create((uint)TElement.Value(from));
            value.Store((uint*)row);
            value.Store((uint*)row + 16);
        }
    }

    private static void LoadLanes<TElement, TCount>(byte* from, byte* registers, int* rows)
        where TElement : struct, IElement
        where TCount : struct, ICount
    {
        for (int lane = 0; lane < 32; lane++)
            for (int k = 0; k < TCount.Value; k++, from += TElement.Size) TElement.Load(from, registers + rows[k], lane);
    }

    private static void StoreLanes<TElement, TCount>(byte* to, byte* registers, int* rows)
        where TElement : struct, IElement
        where TCount : struct, ICount
    {
        for (int lane = 0; lane < 32; lane++)
            for (int k = 0; k < TCount.Value; k++, to += TElement.Size) TElement.Store(to, registers + rows[k], lane);
    }
}
