namespace ModelDsl.Runtime.VirtualGpu.Tests;

public sealed class ConvertTests : IDisposable
{
    private readonly TestGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    /// <summary>Every value of the format as a single, the points halfway between neighbours, and the singles beside those.</summary>
    private static float[] Interesting(IEnumerable<double> values)
    {
        double[] sorted = values.Where(double.IsFinite).Select(Math.Abs).Distinct().Order().ToArray();
        var points = new List<float>();
        for (int i = 0; i < sorted.Length; i++)
        {
            points.Add((float)sorted[i]);
            if (i + 1 == sorted.Length) continue;
            float middle = (float)((sorted[i] + sorted[i + 1]) / 2);
            points.AddRange([middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle)]);
        }
        float last = (float)sorted[^1];
        points.AddRange([last * 1.01f, last * 1.04f, last * 1.0625f, last * 1.07f, last * 2, float.MaxValue, float.PositiveInfinity, float.NaN, float.Epsilon, 1e-40f]);
        return [.. points, .. points.Select(p => -p)];
    }

    [Theory]
    [InlineData("e4m3x2", 3)]
    [InlineData("e5m2x2", 2)]
    public void RoundsToEightBits(string type, int fraction)
    {
        float[] inputs = Interesting(Enumerable.Range(0, 256).Select(i => SmallFloats.Value((byte)i, fraction)));
        uint[] result = _gpu.Map<float, uint>(inputs, inputs.Reverse().ToArray(), null, "ld.global.f32 %f1, @;ld.global.f32 %f2, @", $"cvt.rn.satfinite.{type}.f32 %h1, %f1, %f2; cvt.u32.u16 %r4, %h1;", "st.global.u32 @, %r4");
        for (int i = 0; i < inputs.Length; i++)
        {
            uint expected = (uint)(SmallFloats.Nearest(inputs[i], fraction) << 8 | SmallFloats.Nearest(inputs[^(i + 1)], fraction));
            // NaN has no sign that matters.
            Assert.True(expected == result[i], $"{inputs[i]:R}, {inputs[^(i + 1)]:R}: expected 0x{expected:x4}, got 0x{result[i]:x4}");
        }
    }

    [Theory]
    [InlineData("e4m3x2", 3)]
    [InlineData("e5m2x2", 2)]
    public void WidensEightBits(string type, int fraction)
    {
        uint[] inputs = Enumerable.Range(0, 256).Select(i => (uint)(i | (255 - i) << 8)).ToArray();
        uint[] result = _gpu.Map32(inputs, null, null, $"cvt.u16.u32 %h1, %r1; cvt.rn.f16x2.{type} %r4, %h1;");
        for (int i = 0; i < 256; i++)
        {
            AssertHalf(SmallFloats.Value((byte)i, fraction), (ushort)result[i]);
            AssertHalf(SmallFloats.Value((byte)(255 - i), fraction), (ushort)(result[i] >> 16));
        }
    }

    private static void AssertHalf(double expected, ushort bits)
    {
        double actual = (double)BitConverter.UInt16BitsToHalf(bits);
        Assert.True(double.IsNaN(expected) ? double.IsNaN(actual) : expected == actual && double.IsNegative(expected) == double.IsNegative(actual), $"expected {expected}, got {actual}");
    }

    [Fact]
    public void RoundsToHalf()
    {
        float[] inputs = Interesting(Enumerable.Range(0, 65536).Select(i => (double)BitConverter.UInt16BitsToHalf((ushort)i)));
        uint[] result = _gpu.Map<float, uint>(inputs, null, null, "ld.global.f32 %f1, @", "cvt.rn.f16.f32 %h1, %f1; cvt.u32.u16 %r4, %h1;", "st.global.u32 @, %r4");
        for (int i = 0; i < inputs.Length; i++)
        {
            uint expected = float.IsNaN(inputs[i]) ? 0x7FFFu : BitConverter.HalfToUInt16Bits((Half)inputs[i]);
            Assert.True(expected == result[i], $"{inputs[i]:R}: expected 0x{expected:x4}, got 0x{result[i]:x4}");
        }
    }

    [Fact]
    public void RoundsToBrainFloat()
    {
        var random = new Random(5);
        float[] inputs =
        [
            .. Enumerable.Range(0, 65536).SelectMany(i => (uint[])[(uint)i << 16, (uint)i << 16 | 0x8000, (uint)i << 16 | 0x7FFF, (uint)i << 16 | 0x8001]).Select(BitConverter.UInt32BitsToSingle),
        ];
        uint[] single = _gpu.Map<float, uint>(inputs, null, null, "ld.global.f32 %f1, @", "cvt.rn.bf16.f32 %h1, %f1; cvt.u32.u16 %r4, %h1;", "st.global.u32 @, %r4");
        uint[] pair = _gpu.Map<float, uint>(inputs, null, null, "ld.global.f32 %f1, @", "cvt.rn.bf16x2.f32 %r4, %f1, 0f3F800000;", "st.global.u32 @, %r4");
        uint[] cut = _gpu.Map<float, uint>(inputs, null, null, "ld.global.f32 %f1, @", "cvt.rz.bf16.f32 %h1, %f1; cvt.u32.u16 %r4, %h1;", "st.global.u32 @, %r4");
        for (int i = 0; i < inputs.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(inputs[i]), upper = bits >> 16, lower = bits & 0xFFFF;
            uint nearest = lower > 0x8000 || (lower == 0x8000 && (upper & 1) == 1) ? upper + 1 : upper;
            bool nan = float.IsNaN(inputs[i]);
            Assert.Equal(nan ? 0x7FFFu : nearest, single[i]);
            Assert.Equal(nan ? 0x7FFF3F80u : nearest << 16 | 0x3F80, pair[i]);
            Assert.Equal(nan ? 0x7FFFu : upper, cut[i]);
        }
    }

    [Fact]
    public void WidensHalfAndBrainFloat()
    {
        uint[] inputs = Enumerable.Range(0, 65536).Select(i => (uint)i).ToArray();
        float[] half = _gpu.Map<uint, float>(inputs, null, null, "ld.global.u32 %r1, @", "cvt.u16.u32 %h1, %r1; cvt.f32.f16 %f4, %h1;", "st.global.f32 @, %f4");
        float[] brain = _gpu.Map<uint, float>(inputs, null, null, "ld.global.u32 %r1, @", "cvt.u16.u32 %h1, %r1; cvt.f32.bf16 %f4, %h1;", "st.global.f32 @, %f4");
        for (int i = 0; i < inputs.Length; i++)
        {
            Assert.Equal((float)BitConverter.UInt16BitsToHalf((ushort)i), half[i]);
            Assert.Equal(BitConverter.UInt32BitsToSingle((uint)i << 16), brain[i]);
        }
    }

    public static TheoryData<string, Func<float, uint>> ToInteger => new()
    {
        { "cvt.rzi.s32.f32", x => (uint)(int)Clamp(Math.Truncate((double)x), int.MinValue, int.MaxValue) },
        { "cvt.rni.s32.f32", x => (uint)(int)Clamp(Math.Round((double)x, MidpointRounding.ToEven), int.MinValue, int.MaxValue) },
        { "cvt.rmi.s32.f32", x => (uint)(int)Clamp(Math.Floor(x), int.MinValue, int.MaxValue) },
        { "cvt.rpi.s32.f32", x => (uint)(int)Clamp(Math.Ceiling(x), int.MinValue, int.MaxValue) },
        { "cvt.rzi.u32.f32", x => (uint)Clamp(Math.Truncate((double)x), 0, uint.MaxValue) },
        { "cvt.rni.u32.f32", x => (uint)Clamp(Math.Round((double)x, MidpointRounding.ToEven), 0, uint.MaxValue) },
        { "cvt.rzi.s8.f32", x => (uint)(int)Clamp(Math.Truncate((double)x), -128, 127) },
    };

    private static double Clamp(double x, double low, double high) => double.IsNaN(x) ? 0 : Math.Clamp(x, low, high);

    [Theory]
    [MemberData(nameof(ToInteger))]
    public void ConvertsToIntegers(string instruction, Func<float, uint> expected)
    {
        float[] inputs = [0, -0f, 0.5f, -0.5f, 1.5f, 2.5f, -2.5f, 0.49999997f, 126.6f, 127.5f, -128.7f, 1e9f, -1e9f, 2147483520f, 2147483648f, -2147483648f, 4294967040f, 4294967296f, 1e30f, -1e30f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 1e-40f];
        uint[] result = _gpu.Map<float, uint>(inputs, null, null, "ld.global.f32 %f1, @", $"{instruction} %r4, %f1;", "st.global.u32 @, %r4");
        for (int i = 0; i < inputs.Length; i++) Assert.True(expected(inputs[i]) == result[i], $"{instruction} {inputs[i]:R}: expected 0x{expected(inputs[i]):x}, got 0x{result[i]:x}");
    }

    public static TheoryData<string, Func<uint, float>> FromInteger => new()
    {
        { "cvt.rn.f32.s32", x => (int)x },
        { "cvt.rn.f32.u32", x => x },
        { "cvt.rz.f32.u32", x => Toward(x, down: true) },
        { "cvt.rp.f32.u32", x => Toward(x, down: false) },
        { "cvt.rn.f32.u8", x => (byte)x },
        { "cvt.rn.f32.s16", x => (short)x },
    };

    private static float Toward(uint x, bool down)
    {
        float nearest = x;
        if (down && (double)nearest > x) return MathF.BitDecrement(nearest);
        return !down && (double)nearest < x ? MathF.BitIncrement(nearest) : nearest;
    }

    [Theory]
    [MemberData(nameof(FromInteger))]
    public void ConvertsFromIntegers(string instruction, Func<uint, float> expected)
    {
        uint[] inputs = [0, 1, 255, 256, 0x7F80, 0xFFFFFF, 0x1000001, 0x1000003, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFF80, 0xFFFFFF7F, 0x80000081, 123456789];
        bool narrow = instruction.EndsWith("16", StringComparison.Ordinal);
        float[] result = _gpu.Map<uint, float>(inputs, null, null, "ld.global.u32 %r1, @", narrow ? $"cvt.u16.u32 %h1, %r1; {instruction} %f4, %h1;" : $"{instruction} %f4, %r1;", "st.global.f32 @, %f4");
        for (int i = 0; i < inputs.Length; i++) Assert.Equal(expected(inputs[i]), result[i]);
    }

    public static TheoryData<string, Func<float, float>> ToFloat => new()
    {
        { "cvt.rni.f32.f32 %f4, %f1", x => MathF.Round(x, MidpointRounding.ToEven) },
        { "cvt.rzi.f32.f32 %f4, %f1", MathF.Truncate },
        { "cvt.rmi.f32.f32 %f4, %f1", MathF.Floor },
        { "cvt.rpi.f32.f32 %f4, %f1", MathF.Ceiling },
        { "cvt.sat.f32.f32 %f4, %f1", x => x > 0 ? Math.Min(x, 1) : 0 },
        { "cvt.ftz.f32.f32 %f4, %f1", x => float.IsSubnormal(x) ? 0 * x : x },
        { "cvt.f64.f32 %g1, %f1; cvt.rn.f32.f64 %f4, %g1", x => x },
        { "cvt.f64.f32 %g1, %f1; add.f64 %g1, %g1, %g1; cvt.rn.f16.f64 %h1, %g1; cvt.f32.f16 %f4, %h1", x => (float)(Half)((double)x + x) },
        { "cvt.rna.tf32.f32 %r1, %f1; mov.b32 %f4, %r1", Tf32 },
    };

    private static float Tf32(float x)
    {
        uint bits = BitConverter.SingleToUInt32Bits(x);
        return float.IsFinite(x) ? BitConverter.UInt32BitsToSingle((bits + 0x1000) & 0xFFFFE000) : x;
    }

    [Theory]
    [MemberData(nameof(ToFloat))]
    public void ConvertsBetweenFloats(string instruction, Func<float, float> expected)
    {
        var random = new Random(9);
        float[] inputs = [0, -0f, 0.5f, 1.5f, 2.5f, -0.75f, 3e-39f, -1e-42f, 65519f, 65520f, 32760f, 1e30f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, .. Enumerable.Range(0, 2000).Select(_ => BitConverter.UInt32BitsToSingle((uint)random.NextInt64(1L << 32)))];
        float[] result = _gpu.MapF32(inputs, null, null, instruction + ";");
        for (int i = 0; i < inputs.Length; i++)
        {
            float e = expected(inputs[i]);
            Assert.True(float.IsNaN(e) ? float.IsNaN(result[i]) : BitConverter.SingleToUInt32Bits(e) == BitConverter.SingleToUInt32Bits(result[i]), $"{instruction} of {inputs[i]:R}: expected {e:R}, got {result[i]:R}");
        }
    }

    [Theory]
    [InlineData("cvt.rn.relu.f16.f32 %h1, %f1; cvt.u32.u16 %r4, %h1", "f16")]
    [InlineData("cvt.rn.relu.bf16.f32 %h1, %f1; cvt.u32.u16 %r4, %h1", "bf16")]
    [InlineData("cvt.rn.relu.f16x2.f32 %r5, 0f00000000, %f1; and.b32 %r4, %r5, 0xFFFF", "f16")]
    [InlineData("cvt.rn.satfinite.relu.e4m3x2.f32 %h1, 0f00000000, %f1; cvt.u32.u16 %r4, %h1", "e4m3")]
    public void ClampsNegativesToZero(string instruction, string type)
    {
        float[] inputs = [1.5f, -1.5f, 0, -0f, 1e-3f, -1e30f, 300, float.NegativeInfinity, float.NaN];
        uint[] result = _gpu.Map<float, uint>(inputs, null, null, "ld.global.f32 %f1, @", instruction + ";", "st.global.u32 @, %r4");
        for (int i = 0; i < inputs.Length; i++)
        {
            float x = inputs[i] < 0 ? 0 : inputs[i];
            uint expected = float.IsNaN(x) ? type == "e4m3" ? 0x7Fu : 0x7FFF
                : type == "f16" ? BitConverter.HalfToUInt16Bits((Half)x) : type == "bf16" ? BitConverter.SingleToUInt32Bits(x) + 0x8000 >> 16 : SmallFloats.Nearest(x, 3);
            // Which zero comes of minus zero is nowhere said.
            Assert.True(expected == result[i] || (x == 0 && (result[i] & 0x7FFF) == 0) || (x == 0 && result[i] == 0x80), $"{instruction} of {inputs[i]:R}: expected 0x{expected:x}, got 0x{result[i]:x}");
        }
    }

    [Theory]
    [InlineData("e4m3x2", 3)]
    [InlineData("e5m2x2", 2)]
    public void RoundsPairsOfHalvesToEightBits(string type, int fraction)
    {
        uint[] inputs = Enumerable.Range(0, 65536).Select(i => (uint)(i | (65535 - i) << 16)).ToArray();
        uint[] result = _gpu.Map32(inputs, null, null, $"cvt.rn.satfinite.{type}.f16x2 %h1, %r1; cvt.u32.u16 %r4, %h1;");
        for (int i = 0; i < inputs.Length; i += 7)
        {
            double low = (double)BitConverter.UInt16BitsToHalf((ushort)i), high = (double)BitConverter.UInt16BitsToHalf((ushort)(65535 - i));
            Assert.True((SmallFloats.Nearest(low, fraction) | SmallFloats.Nearest(high, fraction) << 8) == result[i], $"0x{inputs[i]:x8}: got 0x{result[i]:x4}");
        }
    }

    [Fact]
    public void ConvertsDoublesAndLongs()
    {
        ulong[] bits = new double[] { 0, 0.5, 1.5, 2.5, -2.5, 1e10, -1e10, 1e18, 1e19, -1e19, 1e300, double.NegativeInfinity, 9007199254740993 }.Select(BitConverter.DoubleToUInt64Bits).ToArray();
        ulong[] nearest = _gpu.Map64(bits, null, null, "mov.b64 %g1, %d1; cvt.rni.s64.f64 %d4, %g1;"), unsigned = _gpu.Map64(bits, null, null, "mov.b64 %g1, %d1; cvt.rzi.u64.f64 %d4, %g1;");
        ulong[] back = _gpu.Map64([0, 1, ulong.MaxValue, 1UL << 63, 9007199254740993], null, null, "cvt.rn.f64.u64 %g1, %d1; mov.b64 %d4, %g1;");
        for (int i = 0; i < bits.Length; i++)
        {
            double x = BitConverter.UInt64BitsToDouble(bits[i]), r = Math.Round(x, MidpointRounding.ToEven);
            Assert.Equal(r >= 9.3e18 ? long.MaxValue : r <= -9.3e18 ? long.MinValue : (long)r, (long)nearest[i]);
            Assert.Equal(x <= 0 ? 0 : x >= 1.9e19 ? ulong.MaxValue : (ulong)Math.Truncate(x), unsigned[i]);
        }
        Assert.Equal([0.0, 1, 18446744073709551616.0, 9223372036854775808.0, 9007199254740992], back.Select(BitConverter.UInt64BitsToDouble));
    }

    [Theory]
    [InlineData("finite", 1)]
    [InlineData("infinite", 2)]
    [InlineData("number", 3)]
    [InlineData("notanumber", 4)]
    [InlineData("normal", 5)]
    [InlineData("subnormal", 6)]
    public void TestsKindsOfFloats(string kind, int which)
    {
        float[] inputs = [0, 1, -1e-40f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, float.MaxValue, 1.17549435e-38f];
        uint[] result = _gpu.Map<float, uint>(inputs, null, null, "ld.global.f32 %f1, @", $"testp.{kind}.f32 %p1, %f1; selp.u32 %r4, 1, 0, %p1;", "st.global.u32 @, %r4");
        Assert.Equal(
            inputs.Select(x => which switch { 1 => float.IsFinite(x), 2 => float.IsInfinity(x), 3 => !float.IsNaN(x), 4 => float.IsNaN(x), 5 => float.IsNormal(x), _ => float.IsSubnormal(x) } ? 1u : 0),
            result);
    }
}
