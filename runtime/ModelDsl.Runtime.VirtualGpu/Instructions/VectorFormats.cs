using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using V = System.Runtime.Intrinsics.Vector512<uint>;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Exact conversions of 16 narrow floats at a time, and the rounding ones that matter for speed.</summary>
internal static class VectorFormats
{
    /// <summary>F16 in the low halves of the lanes to single.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> FromF16(V x)
    {
        V body = (x & Vector512.Create(0x7FFFu)) << 13;
        // Moving the exponent by a multiplication also makes subnormals normal.
        V value = (body.AsSingle() * Vector512.Create(5.192296858534828e33f)).AsUInt32();
        V special = body | Vector512.Create(0x7F800000u);
        value = Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(body.AsInt32(), Vector512.Create(0x7C00 << 13)).AsUInt32(), special, value);
        return (value | ((x & Vector512.Create(0x8000u)) << 16)).AsSingle();
    }

    /// <summary>BF16 in the low halves of the lanes to single; what is above is ignored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> FromBF16(V x) => (x << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> FromE4M3(V x)
    {
        V body = x & Vector512.Create(0x7Fu);
        V value = ((body << 20).AsSingle() * Vector512.Create(1.329227995784916e36f)).AsUInt32();
        value = Vector512.ConditionalSelect(Vector512.Equals(body, Vector512.Create(0x7Fu)), Vector512.Create(0x7FFFFFFFu), value);
        return (value | ((x & Vector512.Create(0x80u)) << 24)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> FromE5M2(V x) => FromF16((x & Vector512.Create(0xFFu)) << 8);

    /// <summary>Single to BF16, to nearest even, in the low halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ToBF16(Vector512<float> x)
    {
        V bits = x.AsUInt32();
        V rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & V.One)) >> 16;
        return Vector512.ConditionalSelect(Vector512.Equals(x, x).AsUInt32(), rounded, Vector512.Create(0x7FFFu));
    }

    /// <summary>Single to F16, to nearest even, in the low halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ToF16(Vector512<float> x)
    {
        V bits = x.AsUInt32(), sign = (bits >> 16) & Vector512.Create(0x8000u), body = bits & Vector512.Create(0x7FFFFFFFu);
        // Normal results: drop 13 bits and move the exponent; the carry of the rounding may run into it.
        V normal = (body + Vector512.Create(0xC8000FFFu) + ((body >> 13) & V.One)) >> 13;
        // Subnormal results: adding 0.5 puts the unit of F16's subnormals at the end of the significand.
        V subnormal = (body.AsSingle() + Vector512.Create(0.5f)).AsUInt32() - Vector512.Create(0x3F000000u);
        V result = Vector512.ConditionalSelect(Vector512.LessThan(body, Vector512.Create(0x38800000u)), subnormal, normal);
        result = Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(body, Vector512.Create(0x477FF000u)), Vector512.Create(0x7C00u), result);
        return Vector512.ConditionalSelect(Vector512.Equals(x, x).AsUInt32(), result | sign, Vector512.Create(0x7FFFu));
    }
}
