using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Attention;

/// <summary>
/// The running softmax of two rows per thread (g and g+8 of an <c>mma</c> tile): scores become probabilities relative to the largest score
/// so far, and what was summed before is scaled down when a larger one appears. Exponentials are to base two; the factor holds log2(e).
/// </summary>
internal sealed class OnlineSoftmax(KernelBuilder k, float factor)
{
    private readonly Var<F32>[] _largest = k.Vars<F32>(2, float.NegativeInfinity);
    private readonly Var<F32>[] _sum = k.Vars<F32>(2, 0f);

    /// <summary>Turns a tile of scores into probabilities and rescales <paramref name="sums"/>.</summary>
    /// <param name="acrossWarps">Joins the maxima of warps that share rows; by row half.</param>
    public void Update(Var<F32>[][] scores, Var<F32>[][] sums, Func<F32, int, F32>? acrossWarps = null)
    {
        k.Comment("P = exp(S - max), what came before rescaled");
        for (var half = 0; half < 2; half++)
        {
            F32 largest = scores[0][half * 2];
            foreach (var tile in scores)
                for (var e = 0; e < 2; e++)
                    largest = k.Max(largest, tile[half * 2 + e]);
            largest = k.WarpReduceMax(largest, 4);
            if (acrossWarps is not null) largest = acrossWarps(largest, half);
            largest = k.Max(largest, _largest[half]);
            var keep = k.Exp2(k.Rounded((_largest[half].Value - largest) * factor));
            _largest[half].Set(largest);
            var shift = k.Rounded(largest * factor);
            F32 sum = 0f;
            foreach (var tile in scores)
                for (var e = 0; e < 2; e++)
                {
                    var probability = k.Exp2(k.Fma(tile[half * 2 + e], factor, -shift));
                    tile[half * 2 + e].Set(probability);
                    sum = sum + probability;
                }

            _sum[half].Set(k.Fma(_sum[half], keep, sum));
            foreach (var tile in sums)
                for (var e = 0; e < 2; e++)
                    tile[half * 2 + e].Set(k.Rounded(tile[half * 2 + e].Value * keep));
        }
    }

    /// <summary>The largest score of a row so far, times the factor.</summary>
    public F32 ScaledMaximum(int half) => k.Rounded(_largest[half].Value * factor);

    /// <summary>The sum of probabilities over the four threads that share a row.</summary>
    public F32 Denominator(int half) => k.WarpReduceSum(_sum[half], 4);
}
