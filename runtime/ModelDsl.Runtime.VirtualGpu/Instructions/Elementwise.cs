using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

internal interface IUnary32 { static abstract Vector512<uint> Apply(Vector512<uint> a); }

internal interface IBinary32 { static abstract Vector512<uint> Apply(Vector512<uint> a, Vector512<uint> b); }

internal interface ITernary32 { static abstract Vector512<uint> Apply(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c); }

internal interface IUnary64 { static abstract Vector512<ulong> Apply(Vector512<ulong> a); }

internal interface IBinary64 { static abstract Vector512<ulong> Apply(Vector512<ulong> a, Vector512<ulong> b); }

internal interface ITernary64 { static abstract Vector512<ulong> Apply(Vector512<ulong> a, Vector512<ulong> b, Vector512<ulong> c); }

/// <summary>Lane-by-lane instructions whose operands and result have one width: D = op(A, B, C).</summary>
/// <remarks>
/// Instructions of one kind often stand behind each other. With all lanes taking part the first of them goes on to the others itself,
/// which saves finding the next handler: <c>Slot</c> is how many there are. Without vectors of 512 bits an operation is twice as many
/// instructions, and two of them in a row are more than the just-in-time compiler inlines: there one half follows the other in a loop.
/// D may be A, and never half of it.
/// </remarks>
internal static unsafe partial class Elementwise
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Unary32<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, IUnary32
    {
        if (mask != Lanes.All) return SomeUnary32<TOp>(warp, i, mask);
        byte* r = warp->Registers;
        for (Instr* last = Last(warp, i); ; i++)
        {
            byte* a = r + i->A, d = r + i->D;
            for (int half = 0; half < 2; half++) TOp.Apply(Lanes.Load(a, half)).Store((uint*)d + 16 * half);
            if (i == last) return i + 1;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Instr* SomeUnary32<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, IUnary32
    {
        byte* r = warp->Registers, a = r + i->A, d = r + i->D;
        for (int half = 0; half < 2; half++)
            Vector512.ConditionalSelect(Lanes.Mask32(mask, half), TOp.Apply(Lanes.Load(a, half)), Lanes.Load(d, half)).Store((uint*)d + 16 * half);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Binary32<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, IBinary32
    {
        if (mask != Lanes.All) return SomeBinary32<TOp>(warp, i, mask);
        byte* r = warp->Registers;
        for (Instr* last = Last(warp, i); ; i++)
        {
            byte* a = r + i->A, b = r + i->B, d = r + i->D;
            for (int half = 0; half < 2; half++) TOp.Apply(Lanes.Load(a, half), Lanes.Load(b, half)).Store((uint*)d + 16 * half);
            if (i == last) return i + 1;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Instr* SomeBinary32<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, IBinary32
    {
        byte* r = warp->Registers, a = r + i->A, b = r + i->B, d = r + i->D;
        for (int half = 0; half < 2; half++)
            Vector512.ConditionalSelect(Lanes.Mask32(mask, half), TOp.Apply(Lanes.Load(a, half), Lanes.Load(b, half)), Lanes.Load(d, half)).Store((uint*)d + 16 * half);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Ternary32<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, ITernary32
    {
        if (mask != Lanes.All) return SomeTernary32<TOp>(warp, i, mask);
        byte* r = warp->Registers;
        for (Instr* last = Last(warp, i); ; i++)
        {
            byte* a = r + i->A, b = r + i->B, c = r + i->C, d = r + i->D;
            for (int half = 0; half < 2; half++) TOp.Apply(Lanes.Load(a, half), Lanes.Load(b, half), Lanes.Load(c, half)).Store((uint*)d + 16 * half);
            if (i == last) return i + 1;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Instr* SomeTernary32<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, ITernary32
    {
        byte* r = warp->Registers, a = r + i->A, b = r + i->B, c = r + i->C, d = r + i->D;
        for (int half = 0; half < 2; half++)
            Vector512.ConditionalSelect(Lanes.Mask32(mask, half), TOp.Apply(Lanes.Load(a, half), Lanes.Load(b, half), Lanes.Load(c, half)), Lanes.Load(d, half)).Store((uint*)d + 16 * half);
        return i + 1;
    }

    /// <summary>The last instruction that is run along with this one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Instr* Last(Warp* warp, Instr* i)
    {
        warp->Executed += (uint)i->Slot;
        return i + i->Slot;
    }
}
