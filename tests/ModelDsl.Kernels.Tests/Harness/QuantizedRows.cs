namespace ModelDsl.Kernels.Tests.Harness;

/// <summary>The quantisation of activations, computed from its definition: 1 x 128 groups, each with its own scale.</summary>
/// <param name="Scales">Column by column, from each to the next a multiple of four.</param>
public sealed record QuantizedRows(byte[] Codes, float[] Scales)
{
    private const int Group = 128;

    public static QuantizedRows Of(float[] x, int width, bool powerOfTwo = false)
    {
        var columns = (width + Group - 1) / Group;
        var rows = x.Length / width;
        var (codes, scales) = (new byte[x.Length], new float[ScaleCount(rows, width)]);
        for (var row = 0; row < rows; row++)
        for (var column = 0; column < columns; column++)
        {
            var group = Enumerable.Range(column * Group, Math.Min(Group, width - column * Group)).Select(i => row * width + i).ToArray();
            var scale = Math.Max(group.Max(i => Math.Abs(x[i])), 1e-4f) / 448f;
            if (powerOfTwo) scale = (float)Math.Pow(2, Math.Ceiling(Math.Log2(scale)));
            scales[column * Stride(rows) + row] = scale;
            foreach (var i in group) codes[i] = Formats.ToE4M3(x[i] / scale);
        }

        return new QuantizedRows(codes, scales);
    }

    public static int Stride(int rows) => (rows + 3) / 4 * 4;

    /// <summary>Scales of so many rows, what keeps columns apart included.</summary>
    public static int ScaleCount(int rows, int width) => (width + Group - 1) / Group * Stride(rows);

    /// <summary>Row by row, without what keeps columns apart.</summary>
    public static float[] ByRow(float[] scales, int rows)
    {
        var (stride, columns) = (Stride(rows), scales.Length / Stride(rows));
        return [.. Enumerable.Range(0, rows * columns).Select(i => scales[i % columns * stride + i / columns])];
    }

    /// <summary>The other way round, with zeros between columns.</summary>
    public static float[] ByColumn(float[] scales, int rows)
    {
        var (stride, columns) = (Stride(rows), scales.Length / rows);
        return [.. Enumerable.Range(0, stride * columns).Select(i => i % stride < rows ? scales[i % stride * columns + i / stride] : 0f)];
    }
}
