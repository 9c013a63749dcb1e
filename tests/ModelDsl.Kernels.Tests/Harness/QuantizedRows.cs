namespace ModelDsl.Kernels.Tests.Harness;

/// <summary>The quantisation of activations, computed from its definition: 1 x 128 groups, each with its own scale.</summary>
public sealed record QuantizedRows(byte[] Codes, float[] Scales)
{
    private const int Group = 128;

    public static QuantizedRows Of(float[] x, int width, bool powerOfTwo = false)
    {
        var columns = (width + Group - 1) / Group;
        var rows = x.Length / width;
        var (codes, scales) = (new byte[x.Length], new float[rows * columns]);
        for (var row = 0; row < rows; row++)
        for (var column = 0; column < columns; column++)
        {
            var group = Enumerable.Range(column * Group, Math.Min(Group, width - column * Group)).Select(i => row * width + i).ToArray();
            var scale = Math.Max(group.Max(i => Math.Abs(x[i])), 1e-4f) / 448f;
            if (powerOfTwo) scale = (float)Math.Pow(2, Math.Ceiling(Math.Log2(scale)));
            scales[row * columns + column] = scale;
            foreach (var i in group) codes[i] = Formats.ToE4M3(x[i] / scale);
        }

        return new QuantizedRows(codes, scales);
    }
}
