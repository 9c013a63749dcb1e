using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

// 64 bits, between 32 and 64, and choices by a predicate.
internal static unsafe partial class Elementwise
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Unary64<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, IUnary64
    {
        byte* r = warp->Registers;
        for (Instr* last = mask == Lanes.All ? Last(warp, i) : i; ; i++)
        {
            byte* a = r + i->A;
            Lanes.Store64(r + i->D, TOp.Apply(Lanes.Load64(a, 0)), TOp.Apply(Lanes.Load64(a, 1)), TOp.Apply(Lanes.Load64(a, 2)), TOp.Apply(Lanes.Load64(a, 3)), mask);
            if (i == last) return i + 1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Binary64<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, IBinary64
    {
        byte* r = warp->Registers;
        for (Instr* last = mask == Lanes.All ? Last(warp, i) : i; ; i++)
        {
            byte* a = r + i->A, b = r + i->B;
            Lanes.Store64(
                r + i->D,
                TOp.Apply(Lanes.Load64(a, 0), Lanes.Load64(b, 0)),
                TOp.Apply(Lanes.Load64(a, 1), Lanes.Load64(b, 1)),
                TOp.Apply(Lanes.Load64(a, 2), Lanes.Load64(b, 2)),
                TOp.Apply(Lanes.Load64(a, 3), Lanes.Load64(b, 3)),
                mask);
            if (i == last) return i + 1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Ternary64<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, ITernary64
    {
        byte* r = warp->Registers;
        for (Instr* last = mask == Lanes.All ? Last(warp, i) : i; ; i++)
        {
            byte* a = r + i->A, b = r + i->B, c = r + i->C;
            Lanes.Store64(
                r + i->D,
                TOp.Apply(Lanes.Load64(a, 0), Lanes.Load64(b, 0), Lanes.Load64(c, 0)),
                TOp.Apply(Lanes.Load64(a, 1), Lanes.Load64(b, 1), Lanes.Load64(c, 1)),
                TOp.Apply(Lanes.Load64(a, 2), Lanes.Load64(b, 2), Lanes.Load64(c, 2)),
                TOp.Apply(Lanes.Load64(a, 3), Lanes.Load64(b, 3), Lanes.Load64(c, 3)),
                mask);
            if (i == last) return i + 1;
        }
    }

    /// <summary>64-bit values shifted by a 32-bit row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Shift64<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, IBinary64
    {
        byte* r = warp->Registers, a = r + i->A, b = r + i->B;
        var (b0, b1) = Vector512.Widen(Lanes.Load(b, 0));
        var (b2, b3) = Vector512.Widen(Lanes.Load(b, 1));
        Lanes.Store64(
            r + i->D,
            TOp.Apply(Lanes.Load64(a, 0), b0),
            TOp.Apply(Lanes.Load64(a, 1), b1),
            TOp.Apply(Lanes.Load64(a, 2), b2),
            TOp.Apply(Lanes.Load64(a, 3), b3),
            mask);
        return i + 1;
    }

    /// <summary>32-bit operands, 64-bit result: <c>mul.wide</c>; with a 64-bit C it is <c>mad.wide</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* WideMultiply<TSign>(Warp* warp, Instr* i, uint mask)
        where TSign : struct, ISign
    {
        byte* r = warp->Registers, a = r + i->A, b = r + i->B, c = r + i->C;
        var (p0, p1) = TSign.Multiply(Lanes.Load(a, 0), Lanes.Load(b, 0));
        var (p2, p3) = TSign.Multiply(Lanes.Load(a, 1), Lanes.Load(b, 1));
        if (i->C >= 0)
        {
            p0 += Lanes.Load64(c, 0);
            p1 += Lanes.Load64(c, 1);
            p2 += Lanes.Load64(c, 2);
            p3 += Lanes.Load64(c, 3);
        }
        Lanes.Store64(r + i->D, p0, p1, p2, p3, mask);
        return i + 1;
    }

    /// <summary>64-bit to 32-bit, lane by lane: the low halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Truncate64(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers, a = r + i->A;
        Lanes.Store(
            r + i->D,
            Vector512.Narrow(Lanes.Load64(a, 0), Lanes.Load64(a, 1)),
            Vector512.Narrow(Lanes.Load64(a, 2), Lanes.Load64(a, 3)),
            mask);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* ZeroExtend32(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers, a = r + i->A;
        var (a0, a1) = Vector512.Widen(Lanes.Load(a, 0));
        var (a2, a3) = Vector512.Widen(Lanes.Load(a, 1));
        Lanes.Store64(r + i->D, a0, a1, a2, a3, mask);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* SignExtend32(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers, a = r + i->A;
        var (a0, a1) = Vector512.Widen(Lanes.Load(a, 0).AsInt32());
        var (a2, a3) = Vector512.Widen(Lanes.Load(a, 1).AsInt32());
        Lanes.Store64(r + i->D, a0.AsUInt64(), a1.AsUInt64(), a2.AsUInt64(), a3.AsUInt64(), mask);
        return i + 1;
    }

    /// <summary>Two 32-bit rows A (low) and B (high) to one of 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Join64(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        var (a0, a1) = Vector512.Widen(Lanes.Load(r + i->A, 0));
        var (a2, a3) = Vector512.Widen(Lanes.Load(r + i->A, 1));
        var (b0, b1) = Vector512.Widen(Lanes.Load(r + i->B, 0));
        var (b2, b3) = Vector512.Widen(Lanes.Load(r + i->B, 1));
        Lanes.Store64(r + i->D, a0 | (b0 << 32), a1 | (b1 << 32), a2 | (b2 << 32), a3 | (b3 << 32), mask);
        return i + 1;
    }

    /// <summary>One 64-bit row to two of 32 bits: low half to D, high half to E; negative means not wanted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Split64(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers, a = r + i->A;
        Vector512<ulong> a0 = Lanes.Load64(a, 0), a1 = Lanes.Load64(a, 1), a2 = Lanes.Load64(a, 2), a3 = Lanes.Load64(a, 3);
        if (i->D >= 0) Lanes.Store(r + i->D, Vector512.Narrow(a0, a1), Vector512.Narrow(a2, a3), mask);
        if (i->E >= 0) Lanes.Store(r + i->E, Vector512.Narrow(a0 >> 32, a1 >> 32), Vector512.Narrow(a2 >> 32, a3 >> 32), mask);
        return i + 1;
    }

    /// <summary>D = predicate C ? A : B, 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Select32(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers, a = r + i->A, b = r + i->B;
        uint p = *(uint*)(r + i->C) ^ (uint)i->Imm;
        Lanes.Store(
            r + i->D,
            Vector512.ConditionalSelect(Lanes.Mask32(p, 0), Lanes.Load(a, 0), Lanes.Load(b, 0)),
            Vector512.ConditionalSelect(Lanes.Mask32(p, 1), Lanes.Load(a, 1), Lanes.Load(b, 1)),
            mask);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Select64(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers, a = r + i->A, b = r + i->B;
        uint p = *(uint*)(r + i->C) ^ (uint)i->Imm;
        Lanes.Store64(
            r + i->D,
            Vector512.ConditionalSelect(Lanes.Mask64(p, 0), Lanes.Load64(a, 0), Lanes.Load64(b, 0)),
            Vector512.ConditionalSelect(Lanes.Mask64(p, 1), Lanes.Load64(a, 1), Lanes.Load64(b, 1)),
            Vector512.ConditionalSelect(Lanes.Mask64(p, 2), Lanes.Load64(a, 2), Lanes.Load64(b, 2)),
            Vector512.ConditionalSelect(Lanes.Mask64(p, 3), Lanes.Load64(a, 3), Lanes.Load64(b, 3)),
            mask);
        return i + 1;
    }
}

/// <summary>Signedness of a widening multiplication.</summary>
internal interface ISign
{
    static abstract (Vector512<ulong> Low, Vector512<ulong> High) Multiply(Vector512<uint> a, Vector512<uint> b);
}

internal readonly struct Unsigned : ISign
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<ulong> Low, Vector512<ulong> High) Multiply(Vector512<uint> a, Vector512<uint> b)
    {
        var (a0, a1) = Vector512.Widen(a);
        var (b0, b1) = Vector512.Widen(b);
        return (Wide.Multiply(a0, b0), Wide.Multiply(a1, b1));
    }
}

internal readonly struct Signed : ISign
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<ulong> Low, Vector512<ulong> High) Multiply(Vector512<uint> a, Vector512<uint> b)
    {
        var (a0, a1) = Vector512.Widen(a.AsInt32());
        var (b0, b1) = Vector512.Widen(b.AsInt32());
        return (Wide.Multiply(a0, b0).AsUInt64(), Wide.Multiply(a1, b1).AsUInt64());
    }
}
