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
            (current, pending) = LayerLowering.Lower(context, weights, layer, model.Layers[layer].FeedForward, current);
        }

        context.Graph.Layer = null;
        context.Graph.Origin = model.Origin;
        HeadLowering.Lower(context, weights, model.Layers.Count, weights.FinalNorm, current, pending);
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
