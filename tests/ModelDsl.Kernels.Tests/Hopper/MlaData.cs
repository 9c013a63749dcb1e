using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>Sequences of queries, keys and values, and what attention makes of them in float64. Row-major, all rows of a sequence behind those of the one before.</summary>
internal sealed record MlaData(float[] Q, float[] KV, float[] KRope, int[] QueryStarts, int[] KeyStarts)
{
    public int Tokens => QueryStarts[^1];

    public int Context => KeyStarts[^1];

    /// <summary>Queries and keys are normal; values are a tenth of that and at most 1, as in peers' tests.</summary>
    public static MlaData Of(MlaPrefill shape, int[] queries, int[] keys)
    {
        int[] qStarts = Starts(queries), kStarts = Starts(keys);
        float[] Random(int seed, int count) => Samples.Normal(seed, count, DType.BF16);
        var kv = Random(2, kStarts[^1] * shape.Heads * shape.PerKey);
        for (var i = 0; i < kv.Length; i++)
            if (i % shape.PerKey >= shape.NopeDim) kv[i] = Formats.RoundBF16(Math.Clamp(kv[i] / 10, -1f, 1f));
        return new MlaData(Random(1, qStarts[^1] * shape.Heads * shape.Depth), kv, Random(3, kStarts[^1] * shape.RopeDim), qStarts, kStarts);
    }

    /// <summary>out [T, h, v], lse [h, T], and for each visible pair of a query and a key of a head its probability.</summary>
    public (double[] Out, double[] Lse, Dictionary<(int Head, int Query), double[]> Probabilities) Forward(MlaPrefill shape)
    {
        var (output, lse) = (new double[Tokens * shape.Heads * shape.VDim], new double[shape.Heads * Tokens]);
        var probabilities = new Dictionary<(int, int), double[]>();
        for (var b = 0; b + 1 < QueryStarts.Length; b++)
        for (var h = 0; h < shape.Heads; h++)
        for (var t = QueryStarts[b]; t < QueryStarts[b + 1]; t++)
        {
            var (first, count) = (KeyStarts[b], KeyStarts[b + 1] - KeyStarts[b]);
            if (shape.Causal) count = Math.Clamp(count - (QueryStarts[b + 1] - QueryStarts[b]) + t - QueryStarts[b] + 1, 0, count);
            var scores = Enumerable.Range(first, count).Select(j => shape.Scale * Product(shape, h, t, j)).ToArray();
            var largest = scores.DefaultIfEmpty(double.NegativeInfinity).Max();
            var sum = scores.Sum(s => Math.Exp(s - largest));
            lse[h * Tokens + t] = count == 0 ? double.PositiveInfinity : largest + Math.Log(sum);
            var row = probabilities[(h, t)] = [.. scores.Select(s => Math.Exp(s - largest) / sum)];
            for (var j = 0; j < count; j++)
                for (var c = 0; c < shape.VDim; c++)
                    output[(t * shape.Heads + h) * shape.VDim + c] += row[j] * Value(shape, h, first + j, c);
        }
        return (output, lse, probabilities);
    }

    public double Query(MlaPrefill shape, int head, int query, int c) => Q[(query * shape.Heads + head) * shape.Depth + c];

    public double Key(MlaPrefill shape, int head, int key, int c) =>
        c < shape.NopeDim ? KV[(key * shape.Heads + head) * shape.PerKey + c] : KRope[key * shape.RopeDim + c - shape.NopeDim];

    public double Value(MlaPrefill shape, int head, int key, int c) => KV[(key * shape.Heads + head) * shape.PerKey + shape.NopeDim + c];

    private double Product(MlaPrefill shape, int head, int query, int key)
    {
        double sum = 0;
        for (var c = 0; c < shape.Depth; c++) sum += Query(shape, head, query, c) * Key(shape, head, key, c);
        return sum;
    }

    private static int[] Starts(int[] lengths)
    {
        var starts = new int[lengths.Length + 1];
        for (var i = 0; i < lengths.Length; i++) starts[i + 1] = starts[i] + lengths[i];
        return starts;
    }
}
