using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ModelDsl.Runtime.Numerics;

/// <summary>
/// FP8 with 4 exponent (bias 7) and 3 mantissa bits: no infinities, NaN where all seven lower bits are set, largest 448,
/// smallest 2^-9. Narrowing rounds to nearest even and saturates.
/// </summary>
public static class E4M3
{
    /// <summary>The largest finite value.</summary>
    public const float Max = 448;

    private const uint NormalBias = (127 - 7) << 23;
    private const float SmallestNormal = 1f / 64;

    // Adding it leaves |x| in units of 2^-9, rounded to nearest even, in the lowest bits of the sum.
    private const float SubnormalMagic = 1 << 14;

    private static readonly float[] Values = [.. Enumerable.Range(0, 256).Select(code => Decode((byte)code))];

    public static float ToSingle(byte code) => Values[code];

    public static byte FromSingle(float value)
    {
        var sign = BitConverter.SingleToUInt32Bits(value) >> 24 & 0x80;
        if (float.IsNaN(value)) return (byte)(sign | 0x7f);
        var magnitude = Math.Min(Math.Abs(value), Max);
        var bits = BitConverter.SingleToUInt32Bits(magnitude);
        var code = magnitude < SmallestNormal
            ? BitConverter.SingleToUInt32Bits(magnitude + SubnormalMagic) - BitConverter.SingleToUInt32Bits(SubnormalMagic)
            : bits - NormalBias + 0x7ffff + (bits >> 20 & 1) >> 20;
        return (byte)(sign | code);
    }

    /// <summary>Widens exactly; both spans have the same length.</summary>
    public static void Widen(ReadOnlySpan<byte> source, Span<float> destination)
    {
        var values = Values;
        destination = destination[..source.Length];
        for (var i = 0; i < source.Length; i++) destination[i] = values[source[i]];
    }

    /// <summary>Quotients by one scale, rounded to nearest even: <c>e4m3(x / scale)</c> with a true division.</summary>
    public static void NarrowQuotients(ReadOnlySpan<float> source, float scale, Span<byte> destination)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(destination[..source.Length]);
        var divisor = Vector128.Create(scale);
        nuint i = 0;
        for (; i + 16 <= (nuint)source.Length; i += 16)
        {
            var first = Vector128.Narrow(
                Round(Vector128.LoadUnsafe(ref from, i) / divisor), Round(Vector128.LoadUnsafe(ref from, i + 4) / divisor));
            var second = Vector128.Narrow(
                Round(Vector128.LoadUnsafe(ref from, i + 8) / divisor), Round(Vector128.LoadUnsafe(ref from, i + 12) / divisor));
            Vector128.Narrow(first, second).StoreUnsafe(ref to, i);
        }
        for (; i < (nuint)source.Length; i++) Unsafe.Add(ref to, i) = FromSingle(Unsafe.Add(ref from, i) / scale);
    }

    private static Vector128<uint> Round(Vector128<float> value)
    {
        var sign = value.AsUInt32() >>> 24 & Vector128.Create(0x80u);
        var magnitude = Vector128.Min(Vector128.Abs(value), Vector128.Create(Max));
        var bits = magnitude.AsUInt32();
        var normal = bits - Vector128.Create(NormalBias) + Vector128.Create(0x7ffffu) + (bits >>> 20 & Vector128<uint>.One) >>> 20;
        var subnormal = (magnitude + Vector128.Create(SubnormalMagic)).AsUInt32() - Vector128.Create(SubnormalMagic).AsUInt32();
        var code = Vector128.ConditionalSelect(
            Vector128.LessThan(magnitude, Vector128.Create(SmallestNormal)).AsUInt32(), subnormal, normal);
        return sign | Vector128.ConditionalSelect(Vector128.Equals(value, value).AsUInt32(), code, Vector128.Create(0x7fu));
    }

    private static float Decode(byte code)
    {
        var (sign, exponent, mantissa) = (code >= 0x80 ? -1f : 1f, code >> 3 & 15, code & 7);
        if ((code & 0x7f) == 0x7f) return float.NaN;
        return sign * (exponent == 0 ? MathF.ScaleB(mantissa, -9) : MathF.ScaleB(8 + mantissa, exponent - 10));
    }
}
