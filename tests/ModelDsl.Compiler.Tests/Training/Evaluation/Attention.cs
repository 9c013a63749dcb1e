using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Tests.Training.Evaluation;

/// <summary>Causal attention in its plain form, and its gradients.</summary>
internal static class Attention
{
    public static (Tensor Output, Tensor Lse) Forward(Tensor query, Tensor kv, Tensor key, MlaSpec mla, double scale)
    {
        var (output, lse) = (new Tensor(query.Rows, mla.Heads * mla.VDim), new Tensor(query.Rows, mla.Heads));
        for (var head = 0; head < mla.Heads; head++)
            for (var t = 0; t < query.Rows; t++)
            {
                var scores = Scores(query, kv, key, mla, scale, head, t);
                lse[t, head] = Rowwise.LogSumExp(scores);
                for (var s = 0; s <= t; s++)
                    Products.AddTimes(Head(output, t, head, mla.VDim), ValueRow(kv, s, head, mla), Math.Exp(scores[s] - lse[t, head]));
            }

        return (output, lse);
    }

    public static (Tensor Query, Tensor Kv, Tensor Key) Backward(
        Tensor query, Tensor kv, Tensor key, Tensor output, Tensor lse, Tensor gradient, MlaSpec mla, double scale)
    {
        var (dQuery, dKv, dKey) = (new Tensor(query.Shape), new Tensor(kv.Shape), new Tensor(key.Shape));
        for (var head = 0; head < mla.Heads; head++)
            for (var t = 0; t < query.Rows; t++)
            {
                var scores = Scores(query, kv, key, mla, scale, head, t);
                var row = Head(gradient, t, head, mla.VDim);
                var delta = Products.Dot(row, Head(output, t, head, mla.VDim));
                var q = Head(query, t, head, mla.QkDim);
                var dq = Head(dQuery, t, head, mla.QkDim);
                for (var s = 0; s <= t; s++)
                {
                    var p = Math.Exp(scores[s] - lse[t, head]);
                    Products.AddTimes(ValueRow(dKv, s, head, mla), row, p);
                    var dScore = p * (Products.Dot(row, ValueRow(kv, s, head, mla)) - delta) * scale;
                    Products.AddTimes(dq, KeyRow(kv, s, head, mla), dScore);
                    Products.AddTimes(dq[mla.NopeDim..], key.Row(s), dScore);
                    Products.AddTimes(KeyRow(dKv, s, head, mla), q[..mla.NopeDim], dScore);
                    Products.AddTimes(dKey.Row(s), q[mla.NopeDim..], dScore);
                }
            }

        return (dQuery, dKv, dKey);
    }

    private static double[] Scores(Tensor query, Tensor kv, Tensor key, MlaSpec mla, double scale, int head, int t)
    {
        var q = Head(query, t, head, mla.QkDim);
        var scores = new double[t + 1];
        for (var s = 0; s <= t; s++)
            scores[s] = scale * (Products.Dot(q[..mla.NopeDim], KeyRow(kv, s, head, mla)) + Products.Dot(q[mla.NopeDim..], key.Row(s)));
        return scores;
    }

    private static Span<double> Head(Tensor x, int row, int head, int width) => x.Row(row).Slice(head * width, width);

    private static Span<double> KeyRow(Tensor kv, int row, int head, MlaSpec mla) =>
        Head(kv, row, head, mla.NopeDim + mla.VDim)[..mla.NopeDim];

    private static Span<double> ValueRow(Tensor kv, int row, int head, MlaSpec mla) =>
        Head(kv, row, head, mla.NopeDim + mla.VDim)[mla.NopeDim..];
}
