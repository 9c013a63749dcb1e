using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using V = System.Runtime.Intrinsics.Vector512<uint>;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Eight-bit floats, 16 lanes at a time: what quantisation spends its time in.</summary>
internal static class NarrowFormats
{
    /// <summary>Two singles to e4m3, saturating: a above, b below.</summary>
    public readonly struct PackE4M3 : IBinary32
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Apply(V a, V b) => (ToE4M3(a) << 8) | ToE4M3(b);
    }

    public readonly struct PackE5M2 : IBinary32
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Apply(V a, V b) => (ToE5M2(a) << 8) | ToE5M2(b);
    }

    /// <summary>Two e4m3 to two f16; exact.</summary>
    public readonly struct UnpackE4M3 : IUnary32
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Apply(V a) => Half(a) | (Half(a >> 8) << 16);

        // Every e4m3 but zero and NaN is a normal f16: the single's exponent moves, and nothing is rounded.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static V Half(V a)
        {
            V single = VectorFormats.FromE4M3(a).AsUInt32(), body = single & Vector512.Create(0x7FFFFFFFu);
            V moved = Vector512.ConditionalSelect(Vector512.Equals(body, V.Zero), V.Zero, (body >> 13) - Vector512.Create(112u << 10));
            V nan = Vector512.GreaterThan(body.AsInt32(), Vector512.Create(0x7F800000)).AsUInt32();
            return Vector512.ConditionalSelect(nan, Vector512.Create(0x7FFFu), moved | ((single >> 16) & Vector512.Create(0x8000u)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ToE4M3(V x) => Round(x, dropped: 20, minNormal: 0x3C800000, magic: 0x46800000, bias: 120u << 23, largest: 0x7E, largestSingle: 0x43E00000);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ToE5M2(V x) => Round(x, dropped: 21, minNormal: 0x38800000, magic: 0x43000000, bias: 112u << 23, largest: 0x7B, largestSingle: 0x47600000);

    /// <summary>To nearest even, saturating; NaN becomes 0x7F.</summary>
    /// <param name="dropped">Bits of a single's significand that go.</param>
    /// <param name="minNormal">Smallest normal number of the format, as a single.</param>
    /// <param name="magic">A power of two in whose binade one unit is the format's smallest subnormal.</param>
    /// <param name="bias">Difference of the exponent biases, in place.</param>
    /// <param name="largestSingle">The largest finite number, as a single.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Round(V x, int dropped, uint minNormal, uint magic, uint bias, uint largest, uint largestSingle)
    {
        // Without their signs the bits of numbers compare like integers, which all processors compare.
        V sign = (x >> 24) & Vector512.Create(0x80u), body = x & Vector512.Create(0x7FFFFFFFu);
        V nan = Vector512.GreaterThan(body.AsInt32(), Vector512.Create(0x7F800000)).AsUInt32();
        V limited = Vector512.Min(body, Vector512.Create(largestSingle));
        V normal = (limited - Vector512.Create(bias) + Vector512.Create((1u << (dropped - 1)) - 1) + ((limited >> dropped) & V.One)) >> dropped;
        V subnormal = (limited.AsSingle() + Vector512.Create(magic).AsSingle()).AsUInt32() - Vector512.Create(magic);
        V result = Vector512.ConditionalSelect(Vector512.LessThan(limited.AsInt32(), Vector512.Create((int)minNormal)).AsUInt32(), subnormal, normal);
        return Vector512.ConditionalSelect(nan, Vector512.Create(0x7Fu), Vector512.Min(result, Vector512.Create(largest)) | sign);
    }
}
