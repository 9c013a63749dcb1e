using ModelDsl.Runtime.Numerics;

namespace ModelDsl.Runtime.Tests.Checkpoints;

public class NumericsTests
{
    // All finite E4M3 values from the format's definition, in ascending order of code.
    private static double E4M3Value(int code) =>
        (code >> 3) == 0 ? (code & 7) * Math.Pow(2, -9) : (8 + (code & 7)) * Math.Pow(2, (code >> 3) - 10);

    [Fact]
    public void E4M3_widens_every_code()
    {
        for (var code = 0; code < 127; code++)
        {
            Assert.Equal(E4M3Value(code), E4M3.ToSingle((byte)code));
            Assert.Equal(-E4M3Value(code), E4M3.ToSingle((byte)(code | 0x80)));
        }
        Assert.True(float.IsNaN(E4M3.ToSingle(0x7f)) && float.IsNaN(E4M3.ToSingle(0xff)));
    }

    [Fact]
    public void E4M3_rounds_to_the_nearest_code_and_ties_to_even_codes()
    {
        var values = new List<float>();
        for (var code = 0; code < 126; code++)
        {
            var middle = (float)((E4M3Value(code) + E4M3Value(code + 1)) / 2);
            Assert.Equal(code % 2 == 0 ? code : code + 1, E4M3.FromSingle(middle));
            Assert.Equal(code, E4M3.FromSingle(MathF.BitDecrement(middle)));
            Assert.Equal(code + 1, E4M3.FromSingle(MathF.BitIncrement(middle)));
            values.AddRange([middle, MathF.BitDecrement(middle), MathF.BitIncrement(middle), -middle]);
        }
        values.AddRange([448, 449, 1e9f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 0, -0f, 1e-30f, float.Epsilon]);
        while (values.Count % 16 != 5) values.Add(values.Count);

        var codes = new byte[values.Count];
        E4M3.NarrowQuotients(values.ToArray(), 1, codes);
        Assert.Equal(values.Select(E4M3.FromSingle), codes);
        Assert.Equal(0x7e, E4M3.FromSingle(float.PositiveInfinity));
        Assert.Equal(0xfe, E4M3.FromSingle(-500));
        Assert.Equal(0x80, E4M3.FromSingle(-0f));
    }

    [Fact]
    public void BFloat16_narrows_to_nearest_even_in_vector_and_scalar_code()
    {
        var random = new Random(1);
        var values = new float[1003];
        for (var i = 0; i < values.Length; i++) values[i] = BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
        values[0] = float.NaN;
        values[1] = BitConverter.Int32BitsToSingle(0x3f80_8000);
        values[2] = BitConverter.Int32BitsToSingle(0x3f81_8000);
        values[3] = float.MaxValue;

        var codes = new ushort[values.Length];
        BFloat16.Narrow(values, codes);

        Assert.True(float.IsNaN(BFloat16.ToSingle(codes[0])));
        Assert.Equal([0x3f80, 0x3f82, 0x7f80], codes[1..4]);
        for (var i = 4; i < values.Length; i++)
        {
            if (float.IsNaN(values[i])) continue;
            Assert.Equal(BFloat16.FromSingle(values[i]), codes[i]);
            var below = BFloat16.ToSingle((ushort)(BitConverter.SingleToUInt32Bits(values[i]) >> 16));
            var above = BFloat16.ToSingle((ushort)((BitConverter.SingleToUInt32Bits(values[i]) >> 16) + 1));
            var nearest = Math.Abs((double)values[i] - below) <= Math.Abs((double)above - values[i]) ? below : above;
            if (!float.IsInfinity(above) && (double)values[i] - below != (double)above - values[i])
                Assert.Equal(nearest, BFloat16.ToSingle(codes[i]));
        }

        var wide = new float[codes.Length];
        BFloat16.Widen(codes, wide);
        Assert.Equal(
            codes.Select(code => BitConverter.SingleToInt32Bits(BFloat16.ToSingle(code))), wide.Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void E5M2_widens_by_its_definition()
    {
        Assert.Equal(57344, E5M2.ToSingle(0x7b));
        Assert.Equal(-1.25f, E5M2.ToSingle(0xbd));
        Assert.Equal(MathF.ScaleB(1, -16), E5M2.ToSingle(0x01));
        Assert.Equal(float.PositiveInfinity, E5M2.ToSingle(0x7c));
    }
}
