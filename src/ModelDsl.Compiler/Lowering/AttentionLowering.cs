using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Lowering;

/// <summary>
/// MLA in its two equal forms (V2 report, section 2.1 and appendix C): plain for many new tokens of one sequence, absorbed for
/// one new token of many. Training is the plain form without a cache.
/// </summary>
internal static class AttentionLowering
{
    /// <summary>Epsilon of the norms on the two latents: fixed in the models' code, whatever the model's own epsilon.</summary>
    private const double LatentEpsilon = 1e-6;

    /// <summary>x: the normalised stream <c>[T,H]</c>; result: what attention adds to the stream, <c>[T,H]</c>.</summary>
    public static Value Lower(LoweringContext context, WeightNames weights, int layer, Value x)
    {
        var query = Query(context, weights, layer, x);
        if (context.IsTraining) return context.Linear(Training(context, weights, layer, query, x), weights.Output(layer), part: null);
        var cache = WriteCache(context, weights, layer, x);
        var heads = context.IsDecode
            ? Absorbed(context, weights, layer, query, cache)
            : Plain(context, weights, layer, query, cache);
        return context.Linear(heads, weights.Output(layer), part: null);
    }

    private static Value Query(LoweringContext context, WeightNames weights, int layer, Value x)
    {
        var mla = context.Model.Attention;
        Value query;
        if (mla.QRank is { } rank)
        {
            var latent = context.Linear(x, weights.QueryDown(layer, rank), part: null);
            query = context.Linear(
                context.RmsNorm(latent, weights.QueryNorm(layer, rank), LatentEpsilon), weights.QueryUp(layer, rank), part: null);
        }
        else
        {
            query = context.Linear(x, weights.Query(layer), part: null);
        }

        var rotated = context.Graph.New(query.Type);
        context.Graph.Add(
            new RopeQueryOp(query, context.Cos, context.Sin, context.Positions, mla.Heads, mla.NopeDim, mla.RopeDim, rotated));
        return rotated;
    }

    private static Value WriteCache(LoweringContext context, WeightNames weights, int layer, Value x)
    {
        var mla = context.Model.Attention;
        var kv = context.Linear(x, weights.KvDown(layer), part: null);
        var latent = context.New(Dim.Tokens, mla.KvRank);
        context.Graph.Add(new SliceColumnsOp(kv, 0, latent));
        var normalised = context.RmsNorm(latent, weights.KvNorm(layer), LatentEpsilon);
        var key = context.New(Dim.Tokens, mla.RopeDim);
        context.Graph.Add(new SliceColumnsOp(kv, mla.KvRank, key));
        var rotated = context.Graph.New(key.Type);
        context.Graph.Add(new RopeKeyOp(key, context.Cos, context.Sin, context.Positions, rotated));

        var before = context.Cache(layer);
        var after = context.Graph.New(before.Type);
        context.Graph.Add(new CacheWriteOp(normalised, rotated, context.Slots, before, after));
        return after;
    }

    private static Value Plain(LoweringContext context, WeightNames weights, int layer, Value query, Value cache)
    {
        var mla = context.Model.Attention;
        var latent = context.New(Dim.Context, mla.KvRank);
        var key = context.New(Dim.Context, mla.RopeDim);
        context.Graph.Add(new CacheGatherOp(cache, context.Pages, context.Options.Page, latent, key));
        var kv = context.Linear(latent, weights.KvUp(layer), part: null);
        var heads = context.New(Dim.Tokens, mla.Heads * mla.VDim);
        context.Graph.Add(new MlaPrefillOp(query, kv, key, mla, SoftmaxScale.Of(mla), heads));
        return heads;
    }

    private static Value Training(LoweringContext context, WeightNames weights, int layer, Value query, Value x)
    {
        var mla = context.Model.Attention;
        var down = context.Linear(x, weights.KvDown(layer), part: null);
        var latent = context.New(Dim.Tokens, mla.KvRank);
        var key = context.New(Dim.Tokens, mla.RopeDim);
        context.Graph.Add(new SplitColumnsOp(down, latent, key));
        var kv = context.Linear(context.RmsNorm(latent, weights.KvNorm(layer), LatentEpsilon), weights.KvUp(layer), part: null);
        var rotated = context.Graph.New(key.Type);
        context.Graph.Add(new RopeKeyOp(key, context.Cos, context.Sin, context.Positions, rotated));
        var heads = context.New(Dim.Tokens, mla.Heads * mla.VDim);
        var lse = context.New(Dim.Tokens, mla.Heads);
        context.Graph.Add(new MlaPrefillOp(query, kv, rotated, mla, SoftmaxScale.Of(mla), heads, lse));
        return heads;
    }

    private static Value Absorbed(LoweringContext context, WeightNames weights, int layer, Value query, Value cache)
    {
        var mla = context.Model.Attention;
        var up = new WeightValue(weights.KvUp(layer));
        var latentQuery = context.New(Dim.Tokens, mla.Heads * mla.KvRank);
        context.Graph.Add(new HeadGemmOp(query, up, mla, Absorption.Query, latentQuery));
        var partial = context.New(Dim.Tokens, Dim.Splits, mla.Heads, mla.KvRank);
        var lse = context.New(Dim.Tokens, Dim.Splits, mla.Heads);
        context.Graph.Add(new MlaDecodeOp(
            latentQuery, query, cache, context.Pages, context.Lengths, mla, SoftmaxScale.Of(mla),
            context.Options.Page, context.Options.SplitPages, partial, lse));
        var latentResult = context.New(Dim.Tokens, mla.Heads * mla.KvRank);
        context.Graph.Add(new MlaCombineOp(partial, lse, mla.Heads, latentResult));
        var heads = context.New(Dim.Tokens, mla.Heads * mla.VDim);
        context.Graph.Add(new HeadGemmOp(latentResult, up, mla, Absorption.Value, heads));
        return heads;
    }
}
