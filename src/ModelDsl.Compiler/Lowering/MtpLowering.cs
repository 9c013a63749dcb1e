using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>
/// The first multi-token-prediction module (V3 report, section 2.2): from what the model made of token i and from token i + 1 to the
/// logits of token i + 2. Embedding and head are the model's; its block counts as the layer after the last, in weights and cache.
/// </summary>
/// <remarks>
/// It reads the stream after the model's last norm, as vLLM, SGLang and Megatron-LM do, and leaves its own after
/// <c>shared_head.norm</c>: that is what a further draft starts from.
/// </remarks>
public static class MtpLowering
{
    /// <param name="phase"><see cref="Phase.MtpPrefill"/> or <see cref="Phase.MtpDecode"/>.</param>
    public static ModelGraph Lower(ModelSpec model, Phase phase, LoweringOptions options)
    {
        var context = new LoweringContext(model, phase, options);
        var weights = new WeightNames(model);
        var layer = model.Layers.Count;
        // Published modules have the feed-forward of the layers they follow.
        var last = model.Layers[layer - 1];

        context.Graph.Origin = model.Origin;
        var stream = Join(context, weights, layer, context.Ids, context.PreviousHidden);

        context.Graph.Layer = layer;
        context.Graph.Origin = last.Origin;
        (stream, var pending) = LayerLowering.Lower(context, weights, layer, last.FeedForward, stream);

        context.Graph.Layer = null;
        context.Graph.Origin = model.Origin;
        HeadLowering.Lower(context, weights, layer + 1, weights.MtpNorm(layer), stream, pending);
        return context.Graph.Build();
    }

    /// <summary>What enters the module's block, <c>[T,H]</c>: from the next token and from what is known of those before.</summary>
    /// <param name="ids">The token after each row's, i32 <c>[T]</c>.</param>
    /// <param name="hidden">The stream after the norm before the head, <c>[T,H]</c>.</param>
    internal static Value Join(LoweringContext context, WeightNames weights, int layer, Value ids, Value hidden)
    {
        var model = context.Model;
        var token = context.New(Dim.Tokens, model.Hidden);
        context.Graph.Add(new EmbeddingOp(ids, new WeightValue(weights.Embedding), token));
        var joined = context.New(Dim.Tokens, 2 * model.Hidden);
        context.Graph.Add(new ConcatColumnsOp(
            context.RmsNorm(token, weights.MtpEmbeddingNorm(layer), model.NormEpsilon),
            context.RmsNorm(hidden, weights.MtpHiddenNorm(layer), model.NormEpsilon),
            joined));
        // The projection is stored wide in FP8 checkpoints, as embedding and head are.
        return context.Linear(joined, weights.MtpProjection(layer), ModelPart.Embedding);
    }
}
