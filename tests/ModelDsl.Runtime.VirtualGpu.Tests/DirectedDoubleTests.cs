using System.Numerics;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>Double precision rounded in a direction, against exact arithmetic with whole numbers.</summary>
public sealed class DirectedDoubleTests : IDisposable
{
    /// <summary>Numbers are compared in units of two to the minus this.</summary>
    private const int Scale = 2300;

    private readonly TestGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    [Theory]
    [InlineData("add")]
    [InlineData("sub")]
    [InlineData("mul")]
    [InlineData("fma")]
    [InlineData("div")]
    [InlineData("sqrt")]
    [InlineData("rcp")]
    public void TheResultIsTheNextOnItsSide(string name)
    {
        var (a, b, c) = (Numbers(1), Numbers(2), Numbers(3));
        if (name == "sqrt") a = [.. a.Select(Math.Abs)];
        foreach (string mode in (string[])["rz", "rm", "rp"])
        {
            string operands = name is "sqrt" or "rcp" ? "%g4, %g1" : name == "fma" ? "%g4, %g1, %g2, %g3" : "%g4, %g1, %g2";
            ulong[] bits = _gpu.Map64(
                [.. a.Select(BitConverter.DoubleToUInt64Bits)], [.. b.Select(BitConverter.DoubleToUInt64Bits)], [.. c.Select(BitConverter.DoubleToUInt64Bits)],
                $"mov.b64 %g1, %d1; mov.b64 %g2, %d2; mov.b64 %g3, %d3; {name}.{mode}.f64 {operands}; mov.b64 %d4, %g4;");
            for (int i = 0; i < a.Length; i++)
            {
                double result = BitConverter.UInt64BitsToDouble(bits[i]);
                // How the exact value compares with a double, by whole numbers alone.
                int Exact(double value) => Compare(name, Whole(a[i]), Whole(b[i]), Whole(c[i]), Whole(value));
                int sign = Exact(0);
                bool up = mode == "rp" || (mode == "rz" && sign < 0);
                string what = $"{name}.{mode} of {a[i]:R}, {b[i]:R}, {c[i]:R} is {result:R}";
                if (double.IsInfinity(result))
                {
                    Assert.True(Exact(result > 0 ? double.MaxValue : double.MinValue) == (result > 0 ? 1 : -1) && up == result > 0, what);
                    continue;
                }
                int side = Exact(result);
                if (side == 0) continue;
                double next = up ? Math.BitDecrement(result) : Math.BitIncrement(result);
                bool beyond = double.IsInfinity(next) || Exact(next) == (up ? 1 : -1);
                Assert.True(side == (up ? -1 : 1) && beyond, what);
            }
        }
    }

    private static double[] Numbers(int seed)
    {
        var random = new Random(seed);
        double[] special = [0.0, -0.0, 1, -1, double.Epsilon, -double.Epsilon, double.MaxValue, double.MinValue, 2.2250738585072014e-308, 1 / 3.0, Math.PI];
        return
        [
            .. Enumerable.Range(0, 400).Select(_ => (random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-60, 60))),
            .. Enumerable.Range(0, 200).Select(_ => (random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-1060, -960))),
            .. Enumerable.Range(0, 200).Select(_ => special[random.Next(2, special.Length)]),
        ];
    }

    private static BigInteger Whole(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)(bits >> 52 & 0x7FF);
        BigInteger magnitude = exponent == 0 ? bits & 0xFFFFFFFFFFFFF : (bits & 0xFFFFFFFFFFFFF) | 1L << 52;
        magnitude <<= Math.Max(exponent, 1) - 1075 + Scale;
        return bits < 0 ? -magnitude : magnitude;
    }

    /// <summary>Sign of (operation of a, b, c) minus r.</summary>
    private static int Compare(string name, BigInteger a, BigInteger b, BigInteger c, BigInteger r)
    {
        BigInteger one = BigInteger.One << Scale;
        return name switch
        {
            "add" => (a + b).CompareTo(r),
            "sub" => (a - b).CompareTo(r),
            "mul" => (a * b).CompareTo(r * one),
            "fma" => (a * b + c * one).CompareTo(r * one),
            "div" => (a * one).CompareTo(r * b) * b.Sign,
            "rcp" => (one * one).CompareTo(r * a) * a.Sign,
            _ => r.Sign < 0 ? 1 : (a * one).CompareTo(r * r),
        };
    }
}
