using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>One transformer block, pre-norm: attention, then a dense or MoE feed-forward.</summary>
internal static class LayerLowering
{
    /// <summary>The stream after attention, <c>[T,H]</c>, and what the feed-forward adds to it.</summary>
    /// <param name="stream">What the block before left, all sums made.</param>
    public static (Value Stream, Value Pending) Lower(
        LoweringContext context, WeightNames weights, int layer, FeedForwardSpec feedForward, Value stream)
    {
        var attention = AttentionLowering.Lower(
            context, weights, layer, context.RmsNorm(stream, weights.InputNorm(layer), context.Model.NormEpsilon));
        context.Tap($"attn_out.{layer}", attention);

        stream = context.Add(stream, attention);
        var normalised = context.RmsNorm(stream, weights.PostAttentionNorm(layer), context.Model.NormEpsilon);
        return (stream, feedForward switch
        {
            MoeSpec moe => MoeLowering.Lower(context, weights, layer, moe, normalised),
            DenseSpec dense => DenseLowering.Lower(context, weights, layer, dense, normalised),
            var other => throw new InvalidOperationException($"No lowering for {other.GetType().Name}."),
        });
    }
}
