using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>The mathematical functions of CUDA as nvcc expands them: polynomials, bit tricks, argument reduction by calls.</summary>
public sealed class MathTests : IDisposable
{
    private const int Functions = 24;
    private readonly CudaProgram _program = new("math");

    public void Dispose() => _program.Dispose();

    [Fact]
    public void Double_precision()
    {
        double[] x = [.. Sample.Floats(90, 1).Select(v => 3.0 * v), 1e-9, -1e-9, 0.5, 12345.678, -1e6, 1e9];
        using DeviceMemory input = _program.Upload(x), output = _program.Zeros<double>(Functions * x.Length);
        _program.Run("double_math", 2, 64, input, output, x.Length);
        Compare(x, Expected, _program.Read<double>(output), 1e-13, tolerant: 1e-11);
    }

    [Fact]
    public void Single_precision()
    {
        float[] x = [.. Sample.Floats(90, 2).Select(v => 3 * v), 1e-6f, -1e-6f, 0.5f, 123.25f, -1e5f, 7e5f];
        using DeviceMemory input = _program.Upload(x), output = _program.Zeros<float>(Functions * x.Length);
        _program.Run("float_math", 2, 64, input, output, x.Length);
        Compare([.. x.Select(v => (double)v)], SingleExpected, [.. _program.Read<float>(output).Select(v => (double)v)], 1e-6, tolerant: 2e-5);
    }

    [Fact]
    public void Intervals_hold_the_exact_result()
    {
        double[] a = [.. Sample.Floats(64, 3).Select(v => v / 3.0)], b = [.. Sample.Floats(64, 4).Select(v => v * Math.PI)];
        using DeviceMemory da = _program.Upload(a), db = _program.Upload(b), output = _program.Zeros<double>(8 * a.Length);
        _program.Run("intervals", 1, 64, da, db, output);
        double[][] got = [.. _program.Read<double>(output).Chunk(8)];
        // Sums of such numbers are exact now and then, products and quotients hardly ever.
        Assert.InRange(got.Sum(o => Enumerable.Range(0, 4).Count(k => o[2 * k] < o[2 * k + 1])), 3 * a.Length, 4 * a.Length);
        for (int i = 0; i < a.Length; i++)
        {
            double[] nearest = [a[i] + b[i], a[i] * b[i], a[i] / b[i], Math.Sqrt(Math.Abs(a[i]))];
            for (int k = 0; k < nearest.Length; k++)
            {
                // The bounds are the same or neighbours, and the nearest result is one of them.
                var (low, high) = (got[i][2 * k], got[i][2 * k + 1]);
                Assert.True((low == high || Math.BitIncrement(low) == high) && (nearest[k] == low || nearest[k] == high), $"{k} of {a[i]:R}, {b[i]:R}: {low:R} to {high:R}");
            }
        }
    }

    [Fact]
    public void Mandelbrot()
    {
        const int Width = 64, Height = 24, Limit = 300;
        using DeviceMemory output = _program.Zeros<int>(Width * Height);
        static KernelArgument Double(double v) => new(BitConverter.DoubleToUInt64Bits(v), 8);
        _program.Run("mandelbrot", new Dim3(2, Height), 32, output, Width, Double(-2), Double(-1.2), Double(0.045), Limit);
        int[] expected = [.. from py in Enumerable.Range(0, Height) from px in Enumerable.Range(0, Width) select Escape(-2 + px * 0.045, -1.2 + py * 0.045, Limit)];
        // Fused operations round otherwise than separate ones: a few points at the border may leave a step sooner or later.
        int different = expected.Zip(_program.Read<int>(output)).Count(pair => pair.First != pair.Second);
        Assert.InRange(different, 0, 20);
    }

    private static int Escape(double cx, double cy, int limit)
    {
        var (x, y, n) = (0.0, 0.0, 0);
        for (; n < limit && x * x + y * y < 4; n++) (x, y) = (x * x - y * y + cx, 2 * x * y + cy);
        return n;
    }

    private static void Compare(double[] x, Func<double, double?[]> expected, double[] got, double tolerance, double tolerant)
    {
        for (int i = 0; i < x.Length; i++)
        {
            double?[] wanted = expected(x[i]);
            for (int f = 0; f < Functions; f++)
            {
                if (wanted[f] is not { } value) continue;
                double actual = got[i * Functions + f], allowed = f is 12 or 20 ? tolerant : tolerance;
                bool close = value.Equals(actual) || Math.Abs(value - actual) <= allowed * Math.Max(1, Math.Abs(value));
                Assert.True(close, $"function {f} of {x[i]:R}: {actual:R}, expected {value:R}");
            }
        }
    }

    private static double?[] Expected(double v)
    {
        double a = Math.Abs(v) + 1e-3;
        bool isSmall = Math.Abs(v) < 100;
        return
        [
            Math.Exp(v), Math.Log(a), Math.Sin(v), Math.Cos(v), isSmall ? Math.Tan(v) : null, Math.Atan(v), Math.Tanh(v), Math.Pow(a, 1.7),
            Math.Sqrt(a), 1 / v, 1 / Math.Sqrt(a), Math.Cbrt(v), Erf(v), Math.Pow(2, v), Math.Log10(a), isSmall ? v * 100 % 3.3 : null,
            Math.Floor(v * 10), Math.Round(v * 10), Math.Sqrt(v * v + 4), Math.Atan2(v, 1.5), isSmall ? Gamma(a) : null, Math.Log(1 + a), isSmall ? Expm1(v) : null, v / a,
        ];
    }

    private static double?[] SingleExpected(double v)
    {
        float a = MathF.Abs((float)v) + 1e-3f;
        bool isSmall = Math.Abs(v) < 100;
        // Overflow to infinity and results of subtractions are compared where single precision has something to say.
        return
        [
            isSmall ? Math.Exp(v) : null, Math.Log(a), Math.Sin(v), Math.Cos(v), isSmall && Math.Abs(Math.Cos(v)) > 0.05 ? Math.Tan(v) : null, Math.Atan(v), Math.Tanh(v), Math.Pow(a, 1.7f),
            Math.Sqrt(a), 1 / v, 1 / Math.Sqrt(a), Math.Cbrt(v), Erf(v), isSmall ? Math.Pow(2, v) : null, Math.Log10(a), (float)v * 100 % 3.3f,
            Math.Floor((float)v * 10), MathF.Round((float)v * 10), Math.Sqrt(v * v + 4), Math.Atan2(v, 1.5), null, isSmall ? Math.Exp(v) : null, isSmall ? Math.Sin(v) : null, v / a,
        ];
    }

    /// <summary>The series of e^x - 1 where the difference would cancel.</summary>
    private static double Expm1(double x) => Math.Abs(x) < 1e-3 ? x + x * x / 2 + x * x * x / 6 + x * x * x * x / 24 : Math.Exp(x) - 1;

    /// <summary>By its Taylor series, which alternates and is summed from small to large.</summary>
    private static double Erf(double x)
    {
        if (Math.Abs(x) > 6) return Math.Sign(x);
        // erf x = 2/sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!, all terms of one sign.
        double term = x, sum = x;
        for (int n = 1; n < 200; n++) sum += term *= 2 * x * x / (2 * n + 1);
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    /// <summary>Stirling's series for large arguments, reached by recurrence.</summary>
    private static double Gamma(double x)
    {
        double divisor = 1;
        for (; x < 20; x++) divisor *= x;
        double series = 1 / (12 * x) - 1 / (360 * Math.Pow(x, 3)) + 1 / (1260 * Math.Pow(x, 5)) - 1 / (1680 * Math.Pow(x, 7));
        return Math.Exp((x - 0.5) * Math.Log(x) - x + series) * Math.Sqrt(2 * Math.PI) / divisor;
    }
}
