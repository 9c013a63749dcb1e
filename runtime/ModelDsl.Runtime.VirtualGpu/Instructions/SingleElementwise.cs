using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>An operation of single precision on vectors of both sizes; a NaN that comes out may be any.</summary>
internal interface IBinarySingle : IBinary32
{
    static abstract Vector256<float> Raw(Vector256<float> a, Vector256<float> b);

    static abstract Vector512<float> Raw(Vector512<float> a, Vector512<float> b);
}

/// <inheritdoc cref="IBinarySingle"/>
internal interface ITernarySingle : ITernary32
{
    static abstract Vector256<float> Raw(Vector256<float> a, Vector256<float> b, Vector256<float> c);

    static abstract Vector512<float> Raw(Vector512<float> a, Vector512<float> b, Vector512<float> c);
}

/// <summary>
/// <see cref="Elementwise"/> for sums and products of single precision. Hardware writes one NaN only; NaNs are rare, so that it is
/// looked for in all lanes of a result at once, and put right afterwards.
/// </summary>
internal static unsafe class SingleElementwise
{
    private const int Eight = 8, Sixteen = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Binary<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, IBinarySingle
    {
        if (mask != Lanes.All) return Elementwise.Binary32<TOp>(warp, i, mask);
        byte* r = warp->Registers;
        for (Instr* last = Elementwise.Last(warp, i); ; i++)
        {
            float* a = (float*)(r + i->A), b = (float*)(r + i->B), d = (float*)(r + i->D);
            if (Vector512.IsHardwareAccelerated)
            {
                Vector512<float> low = TOp.Raw(Vector512.Load(a), Vector512.Load(b)), high = TOp.Raw(Vector512.Load(a + Sixteen), Vector512.Load(b + Sixteen));
                Store(low, high, d);
            }
            else
            {
                Vector256<float> x0 = TOp.Raw(Vector256.Load(a), Vector256.Load(b)), x1 = TOp.Raw(Vector256.Load(a + Eight), Vector256.Load(b + Eight));
                Vector256<float> x2 = TOp.Raw(Vector256.Load(a + 2 * Eight), Vector256.Load(b + 2 * Eight)), x3 = TOp.Raw(Vector256.Load(a + 3 * Eight), Vector256.Load(b + 3 * Eight));
                Store(x0, x1, x2, x3, d);
            }
            if (i == last) return i + 1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Ternary<TOp>(Warp* warp, Instr* i, uint mask)
        where TOp : struct, ITernarySingle
    {
        if (mask != Lanes.All) return Elementwise.Ternary32<TOp>(warp, i, mask);
        byte* r = warp->Registers;
        for (Instr* last = Elementwise.Last(warp, i); ; i++)
        {
            float* a = (float*)(r + i->A), b = (float*)(r + i->B), c = (float*)(r + i->C), d = (float*)(r + i->D);
            if (Vector512.IsHardwareAccelerated)
            {
                Vector512<float> low = TOp.Raw(Vector512.Load(a), Vector512.Load(b), Vector512.Load(c));
                Store(low, TOp.Raw(Vector512.Load(a + Sixteen), Vector512.Load(b + Sixteen), Vector512.Load(c + Sixteen)), d);
            }
            else
            {
                Vector256<float> x0 = TOp.Raw(Vector256.Load(a), Vector256.Load(b), Vector256.Load(c));
                Vector256<float> x1 = TOp.Raw(Vector256.Load(a + Eight), Vector256.Load(b + Eight), Vector256.Load(c + Eight));
                Vector256<float> x2 = TOp.Raw(Vector256.Load(a + 2 * Eight), Vector256.Load(b + 2 * Eight), Vector256.Load(c + 2 * Eight));
                Store(x0, x1, x2, TOp.Raw(Vector256.Load(a + 3 * Eight), Vector256.Load(b + 3 * Eight), Vector256.Load(c + 3 * Eight)), d);
            }
            if (i == last) return i + 1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> low, Vector512<float> high, float* d)
    {
        low.Store(d);
        high.Store(d + Sixteen);
        if ((Vector512.Equals(low, low) & Vector512.Equals(high, high)).AsUInt32() != Vector512<uint>.AllBitsSet) Canonicalise(d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> x0, Vector256<float> x1, Vector256<float> x2, Vector256<float> x3, float* d)
    {
        x0.Store(d);
        x1.Store(d + Eight);
        x2.Store(d + 2 * Eight);
        x3.Store(d + 3 * Eight);
        if ((Unordered(x0, x1) | Unordered(x2, x3)) != Vector256<uint>.Zero) Canonicalise(d);
    }

    /// <summary>Where one of the two is no number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Unordered(Vector256<float> a, Vector256<float> b) => Avx.IsSupported
        ? Avx.CompareUnordered(a, b).AsUInt32()
        : ~(Vector256.Equals(a, a) & Vector256.Equals(b, b)).AsUInt32();

    /// <summary>Makes every NaN of a row the one that hardware writes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Canonicalise(float* d)
    {
        for (int half = 0; half < 2; half++) FloatOperations.Canonical(Vector512.Load(d + Sixteen * half)).Store((uint*)d + Sixteen * half);
    }
}
