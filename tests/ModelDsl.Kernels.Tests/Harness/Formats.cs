namespace ModelDsl.Kernels.Tests.Harness;

/// <summary>Number formats in software, from their definitions: bits to values exactly, values to bits by nearest even.</summary>
public static class Formats
{
    /// <summary>Largest finite E4M3.</summary>
    public const float LargestE4M3 = 448;

    /// <summary>Every finite non-negative E4M3 value by its code; 0x7F is NaN.</summary>
    private static readonly double[] E4M3Values = [.. Enumerable.Range(0, 0x7F).Select(code =>
        code < 8 ? code * Math.Pow(2, -9) : (8 + code % 8) * Math.Pow(2, code / 8 - 10))];

    public static ushort ToBF16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7FFF : (ushort)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }

    public static float FromBF16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The value that remains after storing it as BF16.</summary>
    public static float RoundBF16(float value) => FromBF16(ToBF16(value));

    /// <summary>Nearest even; beyond 448 is 448.</summary>
    public static byte ToE4M3(float value)
    {
        if (float.IsNaN(value)) return 0x7F;
        var sign = float.IsNegative(value) ? 0x80 : 0;
        var magnitude = Math.Min(Math.Abs((double)value), LargestE4M3);
        var above = Array.FindIndex(E4M3Values, candidate => candidate >= magnitude);
        if (above == 0 || E4M3Values[above] == magnitude) return (byte)(sign | above);
        var (down, up) = (magnitude - E4M3Values[above - 1], E4M3Values[above] - magnitude);
        return (byte)(sign | (down < up || (down == up && above % 2 == 1) ? above - 1 : above));
    }

    public static float FromE4M3(byte code) =>
        (code & 0x7F) == 0x7F ? float.NaN : (float)((code >= 0x80 ? -1 : 1) * E4M3Values[code & 0x7F]);
}
