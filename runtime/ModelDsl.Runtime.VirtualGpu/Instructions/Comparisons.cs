using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;
using V = System.Runtime.Intrinsics.Vector512<uint>;
using W = System.Runtime.Intrinsics.Vector512<ulong>;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>A comparison: all ones in each lane where it holds.</summary>
internal interface ICompare
{
    static abstract V Apply(V a, V b);
    static abstract W Apply(W a, W b);
}

/// <summary><c>setp</c> and <c>set</c>.</summary>
internal static unsafe class Comparisons
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Compare32<T>(Warp* warp, Instr* i, uint mask)
        where T : struct, ICompare
    {
        byte* r = warp->Registers, a = r + i->A, b = r + i->B;
        uint low = (uint)T.Apply(Lanes.Load(a, 0), Lanes.Load(b, 0)).ExtractMostSignificantBits();
        uint high = (uint)T.Apply(Lanes.Load(a, 1), Lanes.Load(b, 1)).ExtractMostSignificantBits();
        Lanes.StorePredicate(r + i->D, low | (high << 16), mask);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Compare64<T>(Warp* warp, Instr* i, uint mask)
        where T : struct, ICompare
    {
        byte* r = warp->Registers, a = r + i->A, b = r + i->B;
        uint bits = 0;
        for (int q = 0; q < 4; q++) bits |= (uint)T.Apply(Lanes.Load64(a, q), Lanes.Load64(b, q)).ExtractMostSignificantBits() << (8 * q);
        Lanes.StorePredicate(r + i->D, bits, mask);
        return i + 1;
    }

    public readonly struct Equal : ICompare { public static V Apply(V a, V b) => Vector512.Equals(a, b); public static W Apply(W a, W b) => Vector512.Equals(a, b); }

    public readonly struct LessU : ICompare { public static V Apply(V a, V b) => Vector512.LessThan(a, b); public static W Apply(W a, W b) => Vector512.LessThan(a, b); }

    public readonly struct LessS : ICompare
    {
        public static V Apply(V a, V b) => Vector512.LessThan(a.AsInt32(), b.AsInt32()).AsUInt32();
        public static W Apply(W a, W b) => Vector512.LessThan(a.AsInt64(), b.AsInt64()).AsUInt64();
    }

    public readonly struct EqualF : ICompare
    {
        public static V Apply(V a, V b) => Vector512.Equals(a.AsSingle(), b.AsSingle()).AsUInt32();
        public static W Apply(W a, W b) => Vector512.Equals(a.AsDouble(), b.AsDouble()).AsUInt64();
    }

    public readonly struct LessF : ICompare
    {
        public static V Apply(V a, V b) => Vector512.LessThan(a.AsSingle(), b.AsSingle()).AsUInt32();
        public static W Apply(W a, W b) => Vector512.LessThan(a.AsDouble(), b.AsDouble()).AsUInt64();
    }

    public readonly struct LessEqualF : ICompare
    {
        public static V Apply(V a, V b) => Vector512.LessThanOrEqual(a.AsSingle(), b.AsSingle()).AsUInt32();
        public static W Apply(W a, W b) => Vector512.LessThanOrEqual(a.AsDouble(), b.AsDouble()).AsUInt64();
    }

    /// <summary>Both are numbers.</summary>
    public readonly struct Ordered : ICompare
    {
        public static V Apply(V a, V b) => EqualF.Apply(a, a) & EqualF.Apply(b, b);
        public static W Apply(W a, W b) => EqualF.Apply(a, a) & EqualF.Apply(b, b);
    }

    public readonly struct NotEqualF : ICompare
    {
        public static V Apply(V a, V b) => LessF.Apply(a, b) | LessF.Apply(b, a);
        public static W Apply(W a, W b) => LessF.Apply(a, b) | LessF.Apply(b, a);
    }

    public readonly struct Not<T> : ICompare
        where T : struct, ICompare
    {
        public static V Apply(V a, V b) => ~T.Apply(a, b);
        public static W Apply(W a, W b) => ~T.Apply(a, b);
    }

    /// <summary>Operands exchanged: greater from less.</summary>
    public readonly struct Swap<T> : ICompare
        where T : struct, ICompare
    {
        public static V Apply(V a, V b) => T.Apply(b, a);
        public static W Apply(W a, W b) => T.Apply(b, a);
    }

    /// <summary>Subnormal singles compared as zero.</summary>
    public readonly struct Flushed<T> : ICompare
        where T : struct, ICompare
    {
        public static V Apply(V a, V b) => T.Apply(FloatOperations.Flush(a), FloatOperations.Flush(b));
        public static W Apply(W a, W b) => T.Apply(a, b);
    }
}
