using System.Numerics;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

public sealed class FloatTests : IDisposable
{
    private readonly TestGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    private static float[] Inputs(int seed)
    {
        var random = new Random(seed);
        float[] special = [0, -0f, 1, -1, 0.5f, 2, 3, float.Epsilon, -1e-40f, 1.17549435e-38f, float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 1e20f, 1e-20f, 16777217f];
        float[] all = [.. special, .. Enumerable.Range(0, 400).Select(_ => BitConverter.UInt32BitsToSingle((uint)random.NextInt64(1L << 32)))];
        return Enumerable.Range(0, 4000).Select(_ => all[random.Next(all.Length)]).ToArray();
    }

    private static float Flush(float x) => float.IsSubnormal(x) ? MathF.CopySign(0, x) : x;

    public static TheoryData<string, Func<float, float, float, float>> Exact => new()
    {
        { "add.f32 %f4, %f1, %f2", (a, b, _) => a + b },
        { "add.ftz.f32 %f4, %f1, %f2", (a, b, _) => Flush(Flush(a) + Flush(b)) },
        { "add.sat.f32 %f4, %f1, %f2", (a, b, _) => float.IsNaN(a + b) ? 0 : Math.Clamp(a + b, 0, 1) },
        { "sub.rn.f32 %f4, %f1, %f2", (a, b, _) => a - b },
        { "mul.f32 %f4, %f1, %f2", (a, b, _) => a * b },
        { "fma.rn.f32 %f4, %f1, %f2, %f3", MathF.FusedMultiplyAdd },
        { "fma.rn.ftz.f32 %f4, %f1, %f2, %f3", (a, b, c) => Flush(MathF.FusedMultiplyAdd(Flush(a), Flush(b), Flush(c))) },
        { "div.rn.f32 %f4, %f1, %f2", (a, b, _) => a / b },
        { "sqrt.rn.f32 %f4, %f1", (a, _, _) => MathF.Sqrt(a) },
        { "rcp.rn.f32 %f4, %f1", (a, _, _) => 1 / a },
        { "min.f32 %f4, %f1, %f2", (a, b, _) => float.IsNaN(a) ? b : float.IsNaN(b) ? a : MathF.Min(a, b) },
        { "max.f32 %f4, %f1, %f2", (a, b, _) => float.IsNaN(a) ? b : float.IsNaN(b) ? a : MathF.Max(a, b) },
        { "max.NaN.f32 %f4, %f1, %f2", MathF_Max },
        { "neg.f32 %f4, %f1", (a, _, _) => -a },
        { "abs.f32 %f4, %f1", (a, _, _) => MathF.Abs(a) },
        { "copysign.f32 %f4, %f1, %f2", (a, b, _) => MathF.CopySign(b, a) },
        { "cvt.f64.f32 %g1, %f1; cvt.f64.f32 %g2, %f2; cvt.f64.f32 %g3, %f3; fma.rn.f64 %g4, %g1, %g2, %g3; cvt.rn.f32.f64 %f4, %g4", (a, b, c) => (float)Math.FusedMultiplyAdd(a, b, c) },
        { "cvt.f64.f32 %g1, %f1; cvt.f64.f32 %g2, %f2; div.rn.f64 %g4, %g1, %g2; cvt.rn.f32.f64 %f4, %g4", (a, b, _) => (float)((double)a / b) },
        { "add.rz.f32 %f4, %f1, %f2", (a, b, _) => TowardsZero(a, b) },
        { "mul.rp.f32 %f4, %f1, %f2", (a, b, _) => Up(a * b, (double)a * b) },
        { "mul.rm.f32 %f4, %f1, %f2", (a, b, _) => -Up(-(a * b), -((double)a * b)) },
    };

    private static float MathF_Max(float a, float b, float c) => MathF.Max(a, b);

    private static float TowardsZero(float a, float b)
    {
        float nearest = a + b;
        if (!float.IsFinite(a) || !float.IsFinite(b)) return nearest;
        if (float.IsInfinity(nearest)) return MathF.CopySign(float.MaxValue, nearest);
        bool tooLarge = BigInteger.Abs(Units(nearest)) > BigInteger.Abs(Units(a) + Units(b));
        return tooLarge ? (nearest > 0 ? MathF.BitDecrement(nearest) : MathF.BitIncrement(nearest)) : nearest;
    }

    /// <summary>A finite single in units of the smallest subnormal.</summary>
    private static BigInteger Units(float x)
    {
        int bits = BitConverter.SingleToInt32Bits(x), exponent = bits >> 23 & 0xFF, fraction = bits & 0x7FFFFF;
        BigInteger magnitude = exponent == 0 ? fraction : new BigInteger(fraction | 0x800000) << (exponent - 1);
        return bits < 0 ? -magnitude : magnitude;
    }

    private static float Up(float nearest, double exact)
    {
        if (double.IsNaN(exact) || double.IsInfinity(exact)) return nearest;
        if (nearest < exact) return MathF.BitIncrement(nearest);
        if (float.IsNegativeInfinity(nearest)) return float.MinValue;
        return nearest;
    }

    [Theory]
    [MemberData(nameof(Exact))]
    public void ComputesExactly(string instruction, Func<float, float, float, float> expected)
    {
        float[] a = Inputs(1), b = Inputs(2), c = Inputs(3);
        float[] result = _gpu.MapF32(a, b, c, instruction + ";");
        for (int i = 0; i < a.Length; i++)
        {
            float e = expected(a[i], b[i], c[i]);
            bool same = float.IsNaN(e) ? float.IsNaN(result[i]) : BitConverter.SingleToUInt32Bits(e) == BitConverter.SingleToUInt32Bits(result[i]);
            Assert.True(same, $"{instruction}: a={a[i]:R} b={b[i]:R} c={c[i]:R}: expected {e:R}, got {result[i]:R}");
        }
    }

    /// <summary>Function, least and largest operand, relative bound and absolute bound.</summary>
    public static TheoryData<string, double, double, Func<double, double>, double, double> Approximate => new()
    {
        { "ex2.approx.ftz.f32", -125, 127, x => Math.Pow(2, x), 1.3e-7, 0 },
        { "ex2.approx.f32", -140, 127, x => Math.Pow(2, x), 1.3e-7, 1.5e-45 },
        { "lg2.approx.f32", 1e-3, 1e6, Math.Log2, 2e-7, 2e-7 },
        { "rcp.approx.ftz.f32", 1e-3, 1e6, x => 1 / x, 6.1e-8, 0 },
        { "sqrt.approx.f32", 0, 1e6, Math.Sqrt, 6.1e-8, 0 },
        { "rsqrt.approx.f32", 1e-6, 1e6, x => 1 / Math.Sqrt(x), 6.1e-8, 0 },
        { "sin.approx.f32", -6, 6, Math.Sin, 2e-7, 2e-7 },
        { "cos.approx.f32", -6, 6, Math.Cos, 2e-7, 2e-7 },
        { "tanh.approx.f32", -10, 10, Math.Tanh, 6.1e-8, 1e-12 },
    };

    [Theory]
    [MemberData(nameof(Approximate))]
    public void ApproximatesBetterThanTheHardwareMust(string instruction, double low, double high, Func<double, double> f, double relative, double absolute)
    {
        float[] inputs = Enumerable.Range(0, 4001).Select(i => (float)(low + (high - low) * i / 4000)).ToArray();
        float[] result = _gpu.MapF32(inputs, null, null, $"{instruction} %f4, %f1;");
        for (int i = 0; i < inputs.Length; i++)
        {
            double e = f(inputs[i]);
            if (e < 1.17549435e-38 && e > 0 && instruction.Contains("ftz")) continue;
            Assert.True(Math.Abs(result[i] - e) <= relative * Math.Abs(e) + absolute, $"{instruction} {inputs[i]:R}: expected {e:R}, got {result[i]:R}");
        }
    }

    [Theory]
    [InlineData("ex2.approx.f32", 0f, 1f)]
    [InlineData("ex2.approx.f32", 200f, float.PositiveInfinity)]
    [InlineData("ex2.approx.f32", -200f, 0f)]
    [InlineData("ex2.approx.f32", float.NegativeInfinity, 0f)]
    [InlineData("ex2.approx.f32", float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData("ex2.approx.f32", float.NaN, float.NaN)]
    [InlineData("lg2.approx.f32", 0f, float.NegativeInfinity)]
    [InlineData("lg2.approx.f32", 1f, 0f)]
    [InlineData("lg2.approx.f32", -1f, float.NaN)]
    [InlineData("lg2.approx.f32", float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData("rcp.approx.f32", 0f, float.PositiveInfinity)]
    [InlineData("rsqrt.approx.f32", 0f, float.PositiveInfinity)]
    [InlineData("rsqrt.approx.f32", -1f, float.NaN)]
    [InlineData("tanh.approx.f32", float.PositiveInfinity, 1f)]
    [InlineData("tanh.approx.f32", -100f, -1f)]
    [InlineData("tanh.approx.f32", 1e-5f, 1e-5f)]
    public void HandlesTheEnds(string instruction, float input, float expected) =>
        Assert.Equal(expected, _gpu.MapF32([input], null, null, $"{instruction} %f4, %f1;")[0]);

    [Theory]
    [InlineData("add", "f16")]
    [InlineData("mul", "f16")]
    [InlineData("sub", "f16")]
    [InlineData("fma", "f16")]
    [InlineData("add", "bf16")]
    [InlineData("mul", "bf16")]
    [InlineData("fma", "bf16")]
    public void ComputesPairsOfHalves(string operation, string type)
    {
        var random = new Random(21);
        uint[] a = Words(random), b = Words(random), c = Words(random);
        string rounding = operation == "fma" || type == "bf16" ? ".rn" : "";
        string sources = operation == "fma" ? "%r1, %r2, %r3" : "%r1, %r2";
        uint[] result = _gpu.Map32(a, b, c, $"{operation}{rounding}.{type}x2 %r4, {sources};");
        for (int i = 0; i < a.Length; i++)
        {
            for (int shift = 0; shift < 32; shift += 16)
            {
                double x = Value(a[i] >> shift, type), y = Value(b[i] >> shift, type), z = Value(c[i] >> shift, type);
                double actual = Value(result[i] >> shift, type);
                double exact = operation switch { "add" => x + y, "sub" => x - y, "mul" => x * y, _ => Math.FusedMultiplyAdd(x, y, z) };
                double expected = type == "f16" ? (double)(Half)exact : Brain(exact);
                Assert.True(expected.Equals(actual) || (double.IsNaN(expected) && double.IsNaN(actual)), $"{operation} {x:R} {y:R} {z:R}: expected {expected:R}, got {actual:R}");
            }
        }
    }

    /// <summary>Pairs of halves of moderate size, so that a double holds what is computed with them.</summary>
    private static uint[] Words(Random random) => Enumerable.Range(0, 5000).Select(_ => Half(random) | Half(random) << 16).ToArray();

    private static uint Half(Random random) => (uint)(random.Next(2) << 15 | 0x3800 + random.Next(0x0C00));

    private static double Value(uint bits, string type) => type == "f16" ? (double)BitConverter.UInt16BitsToHalf((ushort)bits) : BitConverter.UInt32BitsToSingle(bits << 16);

    private static double Brain(double x)
    {
        double unit = Math.Pow(2, Math.Floor(Math.Log2(Math.Abs(x))) - 7);
        return x == 0 ? x : Math.Round(x / unit, MidpointRounding.ToEven) * unit;
    }
}
