using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// The running softmax of a thread's two rows of a <c>wgmma</c> tile: scores become probabilities relative to the largest score so far. Exponentials are to
/// base two; the factor holds log2(e).
/// </summary>
internal sealed class RowSoftmax(KernelBuilder k, float factor)
{
    public const float Log2E = 1.44269504f, Ln2 = 0.693147181f;

    /// <summary>Chains of maxima and sums for each row, so that one does not wait for the other.</summary>
    private const int Chains = 2;

    private readonly Var<F32>[] _largest = k.Vars<F32>(2, float.NegativeInfinity), _sum = k.Vars<F32>(2, 0f);

    /// <summary>Replaces the scores.</summary>
    /// <param name="mayBeEmpty">Whether a row may have no finite score until now.</param>
    /// <returns>For each of the two rows the factor on what was summed before.</returns>
    public F32[] Update(Var<F32>[] scores, bool mayBeEmpty)
    {
        var keep = new F32[2];
        for (var half = 0; half < 2; half++)
        {
            var row = scores.Where((_, e) => e / 2 % 2 == half).ToArray();
            var largest = k.Max(k.WarpReduceMax(Join(row.Select(s => s.Value), k.Max), 4), _largest[half]);
            // Minus infinity minus itself is no number; any other shift makes the row's probabilities zero.
            var from = mayBeEmpty ? k.Select(largest == float.NegativeInfinity, 0f, largest) : largest;
            keep[half] = k.Exp2(k.Rounded((_largest[half].Value - from) * factor));
            _largest[half].Value = largest;
            var shift = k.Rounded(from * factor);
            foreach (var s in row) s.Value = k.Exp2(k.Fma(s, factor, -shift));
            _sum[half].Value = k.Fma(_sum[half], keep[half], Join(row.Select(s => s.Value), (a, b) => a + b));
        }
        return keep;
    }

    /// <summary>The largest score of a row.</summary>
    public F32 Largest(int half) => _largest[half];

    /// <summary>The sum of a row's probabilities, over the four threads that share it.</summary>
    public F32 Sum(int half) => k.WarpReduceSum(_sum[half], 4);

    /// <summary>The sum of the thread's own probabilities in both rows.</summary>
    public F32 OwnSum => _sum[0].Value + _sum[1].Value;

    private static F32 Join(IEnumerable<F32> values, Func<F32, F32, F32> combine) =>
        values.Select((value, i) => (value, i)).GroupBy(v => v.i % Chains, v => v.value).Select(chain => chain.Aggregate(combine)).Aggregate(combine);
}
