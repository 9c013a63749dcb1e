namespace ModelDsl.Kernels.Tests.Harness;

/// <summary>
/// The quantisation that gradients of weights want, computed from its definition: features by tokens, with a scale for each feature and 128 tokens. Tokens of each group start at a multiple of 128, with
/// zeros up to the next.
/// </summary>
/// <param name="Codes">E4M3[features, Tokens].</param>
/// <param name="Scales">[Tokens / 128, features up to a multiple of 4].</param>
/// <param name="Tokens">With those that fill up.</param>
public sealed record TransposedGroups(byte[] Codes, float[] Scales, int Features, int Tokens)
{
    private const int Group = 128;

    /// <param name="x">[tokens, features], group behind group.</param>
    /// <param name="counts">Tokens of each group.</param>
    public static TransposedGroups Of(float[] x, int features, int[] counts, bool powerOfTwo = false)
    {
        var source = counts.SelectMany((count, group) => Enumerable.Range(0, (count + Group - 1) / Group * Group).Select(i => i < count ? counts[..group].Sum() + i : -1)).ToArray();
        var (codes, scales) = (new byte[features * source.Length], new float[source.Length / Group * Stride(features)]);
        for (var step = 0; step < source.Length / Group; step++)
            for (var feature = 0; feature < features; feature++)
            {
                var values = source[(step * Group)..((step + 1) * Group)].Select(token => token < 0 ? 0 : x[token * features + feature]).ToArray();
                var scale = Math.Max(values.Max(Math.Abs), 1e-4f) / 448f;
                if (powerOfTwo) scale = (float)Math.Pow(2, Math.Ceiling(Math.Log2(scale)));
                scales[step * Stride(features) + feature] = scale;
                for (var i = 0; i < Group; i++) codes[feature * source.Length + step * Group + i] = Formats.ToE4M3(values[i] / scale);
            }

        return new TransposedGroups(codes, scales, features, source.Length);
    }

    public static TransposedGroups OfNormal(int seed, int features, int[] counts) => Of(Samples.Normal(seed, counts.Sum() * features), features, counts);

    public double Value(int feature, int token) => Formats.FromE4M3(Codes[feature * Tokens + token]) * (double)Scales[token / Group * Stride(Features) + feature];

    public static int Stride(int features) => (features + 3) / 4 * 4;
}
