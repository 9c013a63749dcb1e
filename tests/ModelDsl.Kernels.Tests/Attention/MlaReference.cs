namespace ModelDsl.Kernels.Tests.Attention;

/// <summary>Latent attention in float64, written from the equations of the V3 report, section 2.1.1. Row-major arrays.</summary>
internal static class MlaReference
{
    /// <summary>The naive form. q [T, h, nope + rope], kv [S, h, nope + v], k_rope [S, rope]; out [T, h * v].</summary>
    public static double[] Prefill(
        int heads, int nope, int rope, int v, double scale, double[] q, double[] kv, double[] kRope, int tokens, int context)
    {
        var result = new double[tokens * heads * v];
        for (var t = 0; t < tokens; t++)
            for (var h = 0; h < heads; h++)
            {
                var query = q.AsSpan((t * heads + h) * (nope + rope), nope + rope);
                var keys = context - tokens + t + 1;
                var scores = new double[keys];
                for (var j = 0; j < keys; j++)
                {
                    var key = kv.AsSpan((j * heads + h) * (nope + v), nope);
                    scores[j] = scale * (Dot(query[..nope], key) + Dot(query[nope..], kRope.AsSpan(j * rope, rope)));
                }

                var weights = Softmax(scores);
                for (var j = 0; j < keys; j++)
                    for (var c = 0; c < v; c++)
                        result[(t * heads + h) * v + c] += weights[j] * kv[(j * heads + h) * (nope + v) + nope + c];
            }

        return result;
    }

    /// <summary>
    /// The absorbed form for one sequence: q_latent [h, rank], q [h, nope + rope], rows [S, rank + rope] in order of position;
    /// out [h, rank].
    /// </summary>
    public static double[] Decode(int heads, int rank, int nope, int rope, double scale, double[] qLatent, double[] q, double[] rows, int length)
    {
        var (width, result) = (rank + rope, new double[heads * rank]);
        for (var h = 0; h < heads; h++)
        {
            var scores = new double[length];
            for (var j = 0; j < length; j++)
                scores[j] = scale * (Dot(qLatent.AsSpan(h * rank, rank), rows.AsSpan(j * width, rank))
                    + Dot(q.AsSpan(h * (nope + rope) + nope, rope), rows.AsSpan(j * width + rank, rope)));
            var weights = Softmax(scores);
            for (var j = 0; j < length; j++)
                for (var c = 0; c < rank; c++)
                    result[h * rank + c] += weights[j] * rows[j * width + c];
        }

        return result;
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    private static double[] Softmax(double[] scores)
    {
        var largest = scores.Max();
        var weights = scores.Select(score => Math.Exp(score - largest)).ToArray();
        var sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }
}
