namespace ModelDsl.Runtime.Numerics;

/// <summary>FP8 with 5 exponent (bias 15) and 2 mantissa bits: the upper half of a float16, infinities and NaNs included.</summary>
public static class E5M2
{
    private static readonly float[] Values =
        [.. Enumerable.Range(0, 256).Select(code => (float)BitConverter.UInt16BitsToHalf((ushort)(code << 8)))];

    public static float ToSingle(byte code) => Values[code];

    /// <summary>Widens exactly; both spans have the same length.</summary>
    public static void Widen(ReadOnlySpan<byte> source, Span<float> destination)
    {
        var values = Values;
        destination = destination[..source.Length];
        for (var i = 0; i < source.Length; i++) destination[i] = values[source[i]];
    }
}
