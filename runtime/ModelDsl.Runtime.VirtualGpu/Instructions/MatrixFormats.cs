using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>How the 32 bits of a matrix fragment register hold elements.</summary>
internal interface IFragment
{
    /// <summary>Elements in a register.</summary>
    static abstract int Elements { get; }

    /// <summary>Element number <paramref name="e"/> of each lane.</summary>
    static abstract Vector512<float> Element(Vector512<uint> register, int e);

    /// <summary>
    /// All elements of eight lanes, number e at <c>to + stride * e</c>. Not zero is returned when an infinity or a NaN was among them and
    /// came out as a number: they are rare, so that it is cheaper to look for them in all elements at once and to begin again.
    /// </summary>
    static abstract unsafe Vector256<uint> Widen(Vector256<uint> register, float* to, int stride);
}

/// <summary>Narrow floats to single by moving the exponent: sign and body shifted to where single has them, then multiplied.</summary>
internal static unsafe class Fragments
{
    // Single's exponent is biased by 127, F16's and E5M2's by 15, E4M3's by 7: 2^112 and 2^120.
    private const float FromBias15 = 5.192296858534828e33f, FromBias7 = 1.329227995784916e36f;

    /// <summary>A finite element in the top bits with five bits of exponent: F16, or E5M2 when <paramref name="kept"/> leaves out what follows it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Five(Vector256<uint> top, uint kept) =>
        ((top.AsInt32() >> 3).AsUInt32() & Vector256.Create(kept)).AsSingle() * Vector256.Create(FromBias15);

    /// <summary>A finite E4M3 in the top bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Four(Vector256<uint> top) =>
        ((top.AsInt32() >> 4).AsUInt32() & Vector256.Create(0x87F00000u)).AsSingle() * Vector256.Create(FromBias7);

    /// <summary>Where all bits of a mask are set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Special(Vector256<uint> register, byte mask) =>
        Vector256.Equals(register.AsByte() & Vector256.Create(mask), Vector256.Create(mask)).AsUInt32();
}

internal readonly struct FragmentF16 : IFragment
{
    public static int Elements => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => VectorFormats.FromF16(e == 0 ? register : register >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<uint> Widen(Vector256<uint> register, float* to, int stride)
    {
        Fragments.Five(register << 16, 0x8FFFE000).Store(to);
        Fragments.Five(register, 0x8FFFE000).Store(to + stride);
        Vector256<ushort> exponent = Vector256.Create((ushort)0x7C00);
        return Vector256.Equals(register.AsUInt16() & exponent, exponent).AsUInt32();
    }
}

internal readonly struct FragmentBF16 : IFragment
{
    public static int Elements => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => (e == 0 ? register << 16 : register & Vector512.Create(0xFFFF0000)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<uint> Widen(Vector256<uint> register, float* to, int stride)
    {
        (register << 16).Store((uint*)to);
        (register & Vector256.Create(0xFFFF0000)).Store((uint*)to + stride);
        return default;
    }
}

/// <summary>TF32: the low 13 bits are not looked at.</summary>
internal readonly struct FragmentTF32 : IFragment
{
    public static int Elements => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => (register & Vector512.Create(0xFFFFE000)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<uint> Widen(Vector256<uint> register, float* to, int stride)
    {
        (register & Vector256.Create(0xFFFFE000)).Store((uint*)to);
        return default;
    }
}

internal readonly struct FragmentE4M3 : IFragment
{
    public static int Elements => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => VectorFormats.FromE4M3(register >> (8 * e));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<uint> Widen(Vector256<uint> register, float* to, int stride)
    {
        Fragments.Four(register << 24).Store(to);
        Fragments.Four(register << 16).Store(to + stride);
        Fragments.Four(register << 8).Store(to + 2 * stride);
        Fragments.Four(register).Store(to + 3 * stride);
        return Fragments.Special(register, 0x7F);
    }
}

internal readonly struct FragmentE5M2 : IFragment
{
    public static int Elements => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => VectorFormats.FromE5M2(register >> (8 * e));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<uint> Widen(Vector256<uint> register, float* to, int stride)
    {
        Fragments.Five(register << 24, 0x8FE00000).Store(to);
        Fragments.Five(register << 16, 0x8FE00000).Store(to + stride);
        Fragments.Five(register << 8, 0x8FE00000).Store(to + 2 * stride);
        Fragments.Five(register, 0x8FE00000).Store(to + 3 * stride);
        return Fragments.Special(register, 0x7C);
    }
}

internal readonly struct FragmentS8 : IFragment
{
    public static int Elements => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => Vector512.ConvertToSingle((register << (24 - 8 * e)).AsInt32() >> 24);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<uint> Widen(Vector256<uint> register, float* to, int stride)
    {
        for (int e = 0; e < Elements; e++) Vector256.ConvertToSingle((register << (24 - 8 * e)).AsInt32() >> 24).Store(to + e * stride);
        return default;
    }
}

internal readonly struct FragmentU8 : IFragment
{
    public static int Elements => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => Vector512.ConvertToSingle(((register >> (8 * e)) & Vector512.Create(0xFFu)).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<uint> Widen(Vector256<uint> register, float* to, int stride)
    {
        for (int e = 0; e < Elements; e++) Vector256.ConvertToSingle((register << (24 - 8 * e) >> 24).AsInt32()).Store(to + e * stride);
        return default;
    }
}
