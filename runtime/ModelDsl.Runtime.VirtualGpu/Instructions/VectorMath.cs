using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Vector operations that need an instruction of their own where the processor has it.</summary>
internal static unsafe class Wide
{
    /// <summary>Product of values that fit in 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Multiply(Vector512<ulong> a, Vector512<ulong> b) =>
        Avx512F.IsSupported ? Avx512F.Multiply(a.AsUInt32(), b.AsUInt32())
        : Avx2.IsSupported ? Vector512.Create(Avx2.Multiply(a.GetLower().AsUInt32(), b.GetLower().AsUInt32()), Avx2.Multiply(a.GetUpper().AsUInt32(), b.GetUpper().AsUInt32()))
        : a * b;

    /// <summary>Product of signed values that fit in 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<long> Multiply(Vector512<long> a, Vector512<long> b) =>
        Avx512F.IsSupported ? Avx512F.Multiply(a.AsInt32(), b.AsInt32())
        : Avx2.IsSupported ? Vector512.Create(Avx2.Multiply(a.GetLower().AsInt32(), b.GetLower().AsInt32()), Avx2.Multiply(a.GetUpper().AsInt32(), b.GetUpper().AsInt32()))
        : a * b;

    /// <summary>Shifts by 32 and more give zero, as PTX has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> ShiftLeft(Vector512<uint> a, Vector512<uint> b)
    {
        if (Avx512F.IsSupported) return Avx512F.ShiftLeftLogicalVariable(a, b);
        if (Avx2.IsSupported)
            return Vector512.Create(Avx2.ShiftLeftLogicalVariable(a.GetLower(), b.GetLower()), Avx2.ShiftLeftLogicalVariable(a.GetUpper(), b.GetUpper()));
        return Map(a, b, static (x, n) => n > 31 ? 0 : x << (int)n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> ShiftRight(Vector512<uint> a, Vector512<uint> b)
    {
        if (Avx512F.IsSupported) return Avx512F.ShiftRightLogicalVariable(a, b);
        if (Avx2.IsSupported)
            return Vector512.Create(Avx2.ShiftRightLogicalVariable(a.GetLower(), b.GetLower()), Avx2.ShiftRightLogicalVariable(a.GetUpper(), b.GetUpper()));
        return Map(a, b, static (x, n) => n > 31 ? 0 : x >> (int)n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> ShiftRightSigned(Vector512<uint> a, Vector512<uint> b)
    {
        if (Avx512F.IsSupported) return Avx512F.ShiftRightArithmeticVariable(a.AsInt32(), b).AsUInt32();
        if (Avx2.IsSupported)
            return Vector512.Create(Avx2.ShiftRightArithmeticVariable(a.GetLower().AsInt32(), b.GetLower()).AsUInt32(), Avx2.ShiftRightArithmeticVariable(a.GetUpper().AsInt32(), b.GetUpper()).AsUInt32());
        return Map(a, b, static (x, n) => (uint)((int)x >> (int)Math.Min(n, 31)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> ShiftLeft(Vector512<ulong> a, Vector512<ulong> b)
    {
        if (Avx512F.IsSupported) return Avx512F.ShiftLeftLogicalVariable(a, b);
        if (Avx2.IsSupported)
            return Vector512.Create(Avx2.ShiftLeftLogicalVariable(a.GetLower(), b.GetLower()), Avx2.ShiftLeftLogicalVariable(a.GetUpper(), b.GetUpper()));
        return Map(a, b, static (x, n) => n > 63 ? 0 : x << (int)n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> ShiftRight(Vector512<ulong> a, Vector512<ulong> b)
    {
        if (Avx512F.IsSupported) return Avx512F.ShiftRightLogicalVariable(a, b);
        if (Avx2.IsSupported)
            return Vector512.Create(Avx2.ShiftRightLogicalVariable(a.GetLower(), b.GetLower()), Avx2.ShiftRightLogicalVariable(a.GetUpper(), b.GetUpper()));
        return Map(a, b, static (x, n) => n > 63 ? 0 : x >> (int)n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> ShiftRightSigned(Vector512<ulong> a, Vector512<ulong> b)
    {
        if (Avx512F.IsSupported) return Avx512F.ShiftRightArithmeticVariable(a.AsInt64(), b).AsUInt64();
        return Map(a, b, static (x, n) => (ulong)((long)x >> (int)Math.Min(n, 63)));
    }

    // Lane by lane through memory: elements of a vector are slow to take out one by one.
    public static Vector512<uint> Map(Vector512<uint> a, Func<uint, uint> f)
    {
        uint* first = stackalloc uint[16];
        a.Store(first);
        for (int i = 0; i < 16; i++) first[i] = f(first[i]);
        return Vector512.Load(first);
    }

    public static Vector512<uint> Map(Vector512<uint> a, Vector512<uint> b, Func<uint, uint, uint> f)
    {
        uint* first = stackalloc uint[16], second = stackalloc uint[16];
        a.Store(first);
        b.Store(second);
        for (int i = 0; i < 16; i++) first[i] = f(first[i], second[i]);
        return Vector512.Load(first);
    }

    public static Vector512<uint> Map(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Func<uint, uint, uint, uint> f)
    {
        uint* first = stackalloc uint[16], second = stackalloc uint[16], third = stackalloc uint[16];
        a.Store(first);
        b.Store(second);
        c.Store(third);
        for (int i = 0; i < 16; i++) first[i] = f(first[i], second[i], third[i]);
        return Vector512.Load(first);
    }

    public static Vector512<ulong> Map(Vector512<ulong> a, Func<ulong, ulong> f)
    {
        ulong* first = stackalloc ulong[8];
        a.Store(first);
        for (int i = 0; i < 8; i++) first[i] = f(first[i]);
        return Vector512.Load(first);
    }

    public static Vector512<ulong> Map(Vector512<ulong> a, Vector512<ulong> b, Func<ulong, ulong, ulong> f)
    {
        ulong* first = stackalloc ulong[8], second = stackalloc ulong[8];
        a.Store(first);
        b.Store(second);
        for (int i = 0; i < 8; i++) first[i] = f(first[i], second[i]);
        return Vector512.Load(first);
    }

    public static Vector512<ulong> Map(Vector512<ulong> a, Vector512<ulong> b, Vector512<ulong> c, Func<ulong, ulong, ulong, ulong> f)
    {
        ulong* first = stackalloc ulong[8], second = stackalloc ulong[8], third = stackalloc ulong[8];
        a.Store(first);
        b.Store(second);
        c.Store(third);
        for (int i = 0; i < 8; i++) first[i] = f(first[i], second[i], third[i]);
        return Vector512.Load(first);
    }
}
