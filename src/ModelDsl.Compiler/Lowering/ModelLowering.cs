using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>A model to the graph of one phase: plain mathematics in F32, nothing fused.</summary>
public static class ModelLowering
{
    /// <summary>A transformer step: <see cref="Phase.Prefill"/> or <see cref="Phase.Decode"/>.</summary>
    public static ModelGraph LowerStep(ModelSpec model, Phase phase, LoweringOptions options)
    {
        var context = new LoweringContext(model, phase, options);
        var weights = new WeightNames(model);
        context.Graph.Origin = model.Origin;
        var stream = context.New(Dim.Tokens, model.Hidden);
        context.Graph.Add(new EmbeddingOp(context.Ids, new WeightValue(weights.Embedding), stream));
        context.Tap("hidden.0", stream);

        // What a block adds to the stream is added where the next one starts: that is where the sum fuses with a norm.
        Value current = stream;
        Value? pending = null;
        for (var layer = 0; layer < model.Layers.Count; layer++)
        {
            context.Graph.Layer = layer;
            context.Graph.Origin = model.Layers[layer].Origin;
            current = AddPending(context, current, pending, layer);
            var attention = AttentionLowering.Lower(
                context, weights, layer, context.RmsNorm(current, weights.InputNorm(layer), model.NormEpsilon));
            context.Tap($"attn_out.{layer}", attention);

            current = context.Add(current, attention);
            var normalised = context.RmsNorm(current, weights.PostAttentionNorm(layer), model.NormEpsilon);
            pending = model.Layers[layer].FeedForward switch
            {
                MoeSpec moe => MoeLowering.Lower(context, weights, layer, moe, normalised),
                DenseSpec dense => DenseLowering.Lower(context, weights, layer, dense, normalised),
                var other => throw new InvalidOperationException($"No lowering for {other.GetType().Name}."),
            };
        }

        context.Graph.Layer = null;
        context.Graph.Origin = model.Origin;
        HeadLowering.Lower(context, weights, current, pending);
        return context.Graph.Build();
    }

    private static Value AddPending(LoweringContext context, Value stream, Value? pending, int layer)
    {
        if (pending is null) return stream;
        var sum = context.Add(stream, pending);
        context.Tap($"hidden.{layer}", sum);
        return sum;
    }
}
