using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Tests.Training.Evaluation;

/// <summary>Scores, choice and balance of experts, the way of rows to them and back, and the gradients.</summary>
internal static class Routing
{
    public static Tensor Scores(Tensor logits, ScoreFunction function)
    {
        if (function == ScoreFunction.Sigmoid) return logits.Map(Rowwise.Sigmoid);
        var result = new Tensor(logits.Shape);
        for (var t = 0; t < logits.Rows; t++)
        {
            var lse = Rowwise.LogSumExp(logits.Row(t));
            for (var e = 0; e < logits.Width; e++) result[t, e] = Math.Exp(logits[t, e] - lse);
        }

        return result;
    }

    public static Tensor ScoresInput(Tensor scores, Tensor gradient, ScoreFunction function)
    {
        var result = new Tensor(scores.Shape);
        for (var t = 0; t < scores.Rows; t++)
        {
            var mean = Products.Dot(scores.Row(t), gradient.Row(t));
            for (var e = 0; e < scores.Width; e++)
                result[t, e] = function == ScoreFunction.Sigmoid
                    ? gradient[t, e] * scores[t, e] * (1 - scores[t, e])
                    : scores[t, e] * (gradient[t, e] - mean);
        }

        return result;
    }

    public static (Tensor Indices, Tensor Weights) Select(Tensor scores, Tensor? bias, MoeSpec moe)
    {
        var (indices, weights) = (new Tensor(scores.Rows, moe.Active), new Tensor(scores.Rows, moe.Active));
        for (var t = 0; t < scores.Rows; t++)
        {
            var row = t;
            double Biased(int expert) => scores[row, expert] + (bias?.Data[expert] ?? 0);
            var allowed = Enumerable.Range(0, moe.Routed);
            if (moe.Groups is { } groups)
            {
                var size = moe.Routed / groups.Count;
                var kept = Enumerable.Range(0, groups.Count)
                    .OrderByDescending(group => Enumerable.Range(group * size, size).Select(Biased).OrderDescending()
                        .Take(groups.Score == GroupScore.Max ? 1 : 2).Sum())
                    .Take(groups.Kept).ToHashSet();
                allowed = allowed.Where(expert => kept.Contains(expert / size));
            }

            var chosen = allowed.OrderByDescending(Biased).Take(moe.Active).Order().ToArray();
            var sum = moe.Gate.Normalize ? chosen.Sum(expert => scores[row, expert]) : 1;
            for (var j = 0; j < moe.Active; j++)
            {
                indices[t, j] = chosen[j];
                weights[t, j] = moe.Gate.Scale * scores[t, chosen[j]] / sum;
            }
        }

        return (indices, weights);
    }

    public static Tensor SelectInput(Tensor scores, Tensor indices, Tensor gradient, MoeSpec moe)
    {
        var result = new Tensor(scores.Shape);
        for (var t = 0; t < scores.Rows; t++)
        {
            var (row, chosen) = (t, Enumerable.Range(0, moe.Active).Select(j => (int)indices[t, j]).ToArray());
            var sum = moe.Gate.Normalize ? chosen.Sum(expert => scores[row, expert]) : 1;
            var mean = moe.Gate.Normalize ? Enumerable.Range(0, moe.Active).Sum(j => gradient[row, j] * scores[row, chosen[j]] / sum) : 0;
            for (var j = 0; j < moe.Active; j++) result[t, chosen[j]] = moe.Gate.Scale / sum * (gradient[t, j] - mean);
        }

        return result;
    }

    /// <summary>The loss is linear in the <c>P</c> of equation 20; these are its factors, <c>f</c> times all constants.</summary>
    public static double[] BalanceFactors(Tensor scores, Tensor? indices, MoeSpec moe, int tail)
    {
        var (counts, tokens) = (new double[moe.Routed], scores.Rows - tail);
        for (var t = 0; t < tokens; t++)
        {
            var row = t;
            var best = indices is null
                ? Enumerable.Range(0, moe.Routed).OrderByDescending(expert => scores[row, expert]).Take(moe.Active)
                : Enumerable.Range(0, moe.Active).Select(j => (int)indices[row, j]);
            foreach (var expert in best) counts[expert]++;
        }

        return [.. counts.Select(count => moe.Balance.SequenceLoss!.Value * moe.Routed / (moe.Active * (double)tokens) * count)];
    }

    public static double Balance(Tensor scores, Tensor? indices, MoeSpec moe, int tail)
    {
        var (factors, tokens, sum) = (BalanceFactors(scores, indices, moe, tail), scores.Rows - tail, 0.0);
        for (var t = 0; t < tokens; t++) sum += Products.Dot(factors, scores.Row(t)) / scores.Row(t).ToArray().Sum() / tokens;
        return sum;
    }

    public static Tensor BalanceInput(Tensor scores, Tensor? indices, double gradient, MoeSpec moe, int tail)
    {
        var (result, factors, tokens) = (new Tensor(scores.Shape), BalanceFactors(scores, indices, moe, tail), scores.Rows - tail);
        for (var t = 0; t < tokens; t++)
        {
            var sum = scores.Row(t).ToArray().Sum();
            var mean = Products.Dot(factors, scores.Row(t)) / sum;
            for (var e = 0; e < moe.Routed; e++) result[t, e] = gradient / tokens / sum * (factors[e] - mean);
        }

        return result;
    }

    public static (Tensor Offsets, Tensor RowOf, Tensor Source) Dispatch(Tensor indices, int experts)
    {
        var (offsets, rowOf, source) = (new Tensor(experts + 1), new Tensor(indices.Shape), new Tensor(indices.Data.Length));
        var row = 0;
        for (var expert = 0; expert < experts; expert++)
        {
            for (var at = 0; at < indices.Data.Length; at++)
            {
                if (indices.Int(at) != expert) continue;
                rowOf.Data[at] = row;
                source.Data[row++] = at / indices.Width;
            }

            offsets.Data[expert + 1] = row;
        }

        return (offsets, rowOf, source);
    }

    public static Tensor Permute(Tensor x, Tensor source)
    {
        var result = new Tensor(source.Rows, x.Width);
        for (var r = 0; r < source.Rows; r++) x.Row(source.Int(r)).CopyTo(result.Row(r));
        return result;
    }

    public static Tensor Unpermute(Tensor y, Tensor rowOf)
    {
        var result = new Tensor(rowOf.Rows, y.Width);
        for (var at = 0; at < rowOf.Data.Length; at++) Products.AddTimes(result.Row(at / rowOf.Width), y.Row(rowOf.Int(at)), 1);
        return result;
    }

    public static Tensor ScaleRows(Tensor x, Tensor factors)
    {
        var result = new Tensor(x.Shape);
        for (var r = 0; r < x.Rows; r++) Products.AddTimes(result.Row(r), x.Row(r), factors.Data[r]);
        return result;
    }

    public static Tensor RowProducts(Tensor a, Tensor b)
    {
        var result = new Tensor(a.Rows, 1);
        for (var r = 0; r < a.Rows; r++) result.Data[r] = Products.Dot(a.Row(r), b.Row(r));
        return result;
    }

    public static Tensor SortGates(Tensor weights, Tensor rowOf)
    {
        var result = new Tensor(rowOf.Data.Length, 1);
        for (var at = 0; at < rowOf.Data.Length; at++) result.Data[rowOf.Int(at)] = weights.Data[at];
        return result;
    }

    public static Tensor UnsortGates(Tensor x, Tensor rowOf) => rowOf.Map(row => x.Data[(int)row]);
}
