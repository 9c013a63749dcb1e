namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>Eight-bit floats from their definition.</summary>
internal static class SmallFloats
{
    /// <param name="fractionBits">3 for e4m3 (no infinity, one NaN), 2 for e5m2.</param>
    public static double Value(byte bits, int fractionBits)
    {
        int fraction = bits & ((1 << fractionBits) - 1), exponent = (bits & 0x7F) >> fractionBits, bias = fractionBits == 3 ? 7 : 15;
        double sign = bits >= 128 ? -1 : 1;
        if (fractionBits == 3 && (bits & 0x7F) == 0x7F) return double.NaN;
        if (fractionBits == 2 && exponent == 31) return fraction == 0 ? sign * double.PositiveInfinity : double.NaN;
        double significand = fraction / (double)(1 << fractionBits);
        return exponent == 0 ? sign * significand * Math.Pow(2, 1 - bias) : sign * (1 + significand) * Math.Pow(2, exponent - bias);
    }

    /// <summary>The code whose value is nearest, ties to the even code, saturating: by trying all of them.</summary>
    public static byte Nearest(double value, int fractionBits)
    {
        if (double.IsNaN(value)) return 0x7F;
        byte largest = (byte)(fractionBits == 3 ? 0x7E : 0x7B), best = 0;
        double magnitude = Math.Min(Math.Abs(value), 1e6), distance = double.MaxValue;
        for (int code = 0; code <= largest; code++)
        {
            double d = Math.Abs(Value((byte)code, fractionBits) - magnitude);
            if (d < distance || (d == distance && code % 2 == 0)) (best, distance) = ((byte)code, d);
        }
        return (byte)(best | (double.IsNegative(value) ? 0x80 : 0));
    }
}
