namespace ModelDsl.Kernels.Tests.Harness;

/// <summary>Weights with a scale for each 128 x 128 block, computed from the definition.</summary>
/// <param name="Codes">E4M3[n, k].</param>
/// <param name="Scales">[ceil(n / 128), ceil(k / 128)].</param>
public sealed record QuantizedBlocks(byte[] Codes, float[] Scales)
{
    private const int Block = 128;

    public static QuantizedBlocks Of(float[] w, int n, int k, bool powerOfTwo = false)
    {
        var columns = (k + Block - 1) / Block;
        var (codes, scales) = (new byte[w.Length], new float[(n + Block - 1) / Block * columns]);
        for (var i = 0; i < w.Length; i++)
        {
            ref var most = ref scales[i / k / Block * columns + i % k / Block];
            most = Math.Max(most, Math.Abs(w[i]));
        }
        for (var i = 0; i < scales.Length; i++)
        {
            scales[i] = Math.Max(scales[i], 1e-4f) / 448f;
            if (powerOfTwo) scales[i] = (float)Math.Pow(2, Math.Ceiling(Math.Log2(scales[i])));
        }
        for (var i = 0; i < w.Length; i++) codes[i] = Formats.ToE4M3(w[i] / scales[i / k / Block * columns + i % k / Block]);
        return new QuantizedBlocks(codes, scales);
    }
}
