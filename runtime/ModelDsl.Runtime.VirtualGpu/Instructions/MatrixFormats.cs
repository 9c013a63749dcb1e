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
}

internal readonly struct FragmentF16 : IFragment
{
    public static int Elements => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => VectorFormats.FromF16(e == 0 ? register : register >> 16);
}

internal readonly struct FragmentBF16 : IFragment
{
    public static int Elements => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => (e == 0 ? register << 16 : register & Vector512.Create(0xFFFF0000)).AsSingle();
}

/// <summary>TF32: the low 13 bits are not looked at.</summary>
internal readonly struct FragmentTF32 : IFragment
{
    public static int Elements => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => (register & Vector512.Create(0xFFFFE000)).AsSingle();
}

internal readonly struct FragmentE4M3 : IFragment
{
    public static int Elements => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => VectorFormats.FromE4M3(register >> (8 * e));
}

internal readonly struct FragmentE5M2 : IFragment
{
    public static int Elements => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => VectorFormats.FromE5M2(register >> (8 * e));
}

internal readonly struct FragmentS8 : IFragment
{
    public static int Elements => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => Vector512.ConvertToSingle((register << (24 - 8 * e)).AsInt32() >> 24);
}

internal readonly struct FragmentU8 : IFragment
{
    public static int Elements => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Element(Vector512<uint> register, int e) => Vector512.ConvertToSingle(((register >> (8 * e)) & Vector512.Create(0xFFu)).AsInt32());
}
