using ModelDsl.Compiler.Kernels.Hopper;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>Gradients of attention in float64, from their equations: d_q [T,h,nope+rope], d_kv [S,h,nope+v] and each head's part of d_k_rope [S,h,rope].</summary>
internal sealed record MlaGradients(double[] Queries, double[] KV, double[] Rope)
{
    public static MlaGradients Of(MlaPrefill shape, MlaData data, float[] dOut)
    {
        var (heads, v) = (shape.Heads, shape.VDim);
        var dQ = new double[data.Tokens * heads * shape.Depth];
        var (dKV, dRope) = (new double[data.Context * heads * shape.PerKey], new double[data.Context * heads * shape.RopeDim]);
        var (output, _, probabilities) = data.Forward(shape);
        foreach (var ((h, t), row) in probabilities)
        {
            var first = data.KeyStarts[Enumerable.Range(0, data.QueryStarts.Length - 1).Last(b => data.QueryStarts[b] <= t)];
            var at = (t * heads + h) * v;
            double delta = 0;
            for (var c = 0; c < v; c++) delta += output[at + c] * dOut[at + c];
            for (var n = 0; n < row.Length; n++)
            {
                var (j, dP) = (first + n, 0.0);
                var ofKey = (j * heads + h) * shape.PerKey;
                for (var c = 0; c < v; c++)
                {
                    dP += dOut[at + c] * data.Value(shape, h, j, c);
                    dKV[ofKey + shape.NopeDim + c] += row[n] * dOut[at + c];
                }
                var dS = shape.Scale * row[n] * (dP - delta);
                for (var c = 0; c < shape.Depth; c++)
                {
                    dQ[(t * heads + h) * shape.Depth + c] += dS * data.Key(shape, h, j, c);
                    var dK = dS * data.Query(shape, h, t, c);
                    if (c < shape.NopeDim) dKV[ofKey + c] += dK;
                    else dRope[(j * heads + h) * shape.RopeDim + c - shape.NopeDim] += dK;
                }
            }
        }
        return new MlaGradients(dQ, dKV, dRope);
    }
}
