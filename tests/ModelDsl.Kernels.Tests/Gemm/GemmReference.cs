using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Gemm;

/// <summary>Products in float64, and operands to multiply.</summary>
internal static class GemmReference
{
    private const int Block = 128;

    /// <summary><c>c[m, n] = sum_k a[m, k] · w[n, k]</c>.</summary>
    public static double[] Multiply(int rows, int n, int depth, Func<int, int, double> a, Func<int, int, double> w)
    {
        var c = new double[rows * n];
        for (var i = 0; i < rows; i++)
        for (var j = 0; j < n; j++)
        for (var k = 0; k < depth; k++)
            c[i * n + j] += a(i, k) * w(j, k);
        return c;
    }

    public static double[] Multiply(float[] a, float[] w, int rows, int n, int depth) =>
        Multiply(rows, n, depth, (i, k) => a[i * depth + k], (j, k) => w[j * depth + k]);

    /// <summary>E4M3 weights with a scale for every 128 x 128: codes, scales, and the values they stand for.</summary>
    public static (byte[] Codes, float[] Scales, Func<int, int, double> Value) Weights(int seed, int n, int depth)
    {
        var codes = Samples.Normal(seed, n * depth, deviation: 60).Select(Formats.ToE4M3).ToArray();
        var columns = (depth + Block - 1) / Block;
        var scales = Samples.Normal(seed + 1, (n + Block - 1) / Block * columns).Select(x => 0.01f + Math.Abs(x) / 50).ToArray();
        return (codes, scales, (j, k) => Formats.FromE4M3(codes[j * depth + k]) * (double)scales[j / Block * columns + k / Block]);
    }

    /// <summary>Activations quantised per row and 128 values, and the values they stand for.</summary>
    public static (QuantizedRows Rows, Func<int, int, double> Value) Activations(int seed, int rows, int depth)
    {
        var quantized = QuantizedRows.Of(Samples.Normal(seed, rows * depth), depth);
        return (quantized, (i, k) => Formats.FromE4M3(quantized.Codes[i * depth + k]) * (double)quantized.Scales[k / Block * QuantizedRows.Stride(rows) + i]);
    }

    /// <summary>Rounding errors of FP32 sums of so many products of this size stay below this.</summary>
    public static double Slack(int depth, double product = 1) => 4e-6 * Math.Sqrt(depth) * product;
}
