using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>
/// The forward pass of a training step on one sequence: no cache, attention in its plain form, cross-entropy of every token, MTP
/// modules with theirs, balance losses. Plain mathematics in F32; <c>differentiate</c> adds the backward pass.
/// </summary>
/// <remarks>
/// The k-th MTP module sees all T rows, the last k of which have no token to go on from: their embedding is 0, nothing is to be
/// predicted from them, and they are not counted in its balance loss. Everything of a module belongs to the layer that it counts as.
/// </remarks>
public static class TrainingLowering
{
    /// <param name="sequence">Longest sequence in tokens.</param>
    /// <param name="balanceOnChosen">See <see cref="LoweringOptions.BalanceOnChosen"/>.</param>
    public static ModelGraph Lower(ModelSpec model, int sequence, bool balanceOnChosen = false)
    {
        var options = new LoweringOptions(sequence, Page: 1, SplitPages: 1, Taps: false, BalanceOnChosen: balanceOnChosen);
        var context = new LoweringContext(model, Phase.Train, options);
        var weights = new WeightNames(model);
        context.Graph.Origin = model.Origin;
        Value stream = context.New(Dim.Tokens, model.Hidden);
        context.Graph.Add(new EmbeddingOp(context.Ids, new WeightValue(weights.Embedding), stream));
        for (var layer = 0; layer < model.Layers.Count; layer++)
        {
            context.Graph.Layer = layer;
            context.Graph.Origin = model.Layers[layer].Origin;
            stream = Block(context, weights, layer, model.Layers[layer].FeedForward, stream);
        }

        context.Graph.Layer = null;
        context.Graph.Origin = model.Origin;
        var hidden = context.RmsNorm(stream, weights.FinalNorm, model.NormEpsilon);
        var loss = Predict(context, weights, hidden, context.Labels, StepInput.TokenWeight, 1);
        context.Graph.Output(StepOutput.TokenLoss, loss);

        var mtp = Mtp(context, weights, hidden);
        context.Graph.Layer = null;
        if (mtp.Count > 0) context.Graph.Output(StepOutput.MtpLoss, Sum(context, mtp));
        if (context.BalanceLosses.Count > 0) context.Graph.Output(StepOutput.BalanceLoss, Sum(context, context.BalanceLosses));
        context.Graph.Output(StepOutput.Loss, Sum(context, [loss, .. mtp, .. context.BalanceLosses]));
        return context.Graph.Build();
    }

    private static Value Sum(LoweringContext context, List<Value> terms)
    {
        if (terms.Count == 1) return terms[0];
        var sum = context.New();
        context.Graph.Add(new SumOp(terms.ToEquatable(), sum));
        return sum;
    }

    private static Value Block(LoweringContext context, WeightNames weights, int layer, FeedForwardSpec feedForward, Value stream)
    {
        (stream, var pending) = LayerLowering.Lower(context, weights, layer, feedForward, stream);
        return context.Add(stream, pending);
    }

    /// <summary>The loss of each module, weighted (V3 report, equations 21 to 25).</summary>
    private static List<Value> Mtp(LoweringContext context, WeightNames weights, Value hidden)
    {
        var model = context.Model;
        var losses = new List<Value>();
        // Published modules have the feed-forward of the layers they follow.
        var last = model.Layers[model.Layers.Count - 1];
        var ids = context.Labels;
        for (var depth = 1; depth <= model.MtpDepth; depth++)
        {
            var layer = model.Layers.Count + depth - 1;
            context.Graph.Layer = layer;
            context.Tail = depth;
            var labels = context.Graph.New(ids.Type);
            context.Graph.Add(new ShiftRowsOp(ids, labels));
            var stream = Block(context, weights, layer, last.FeedForward, MtpLowering.Join(context, weights, layer, ids, hidden));
            hidden = context.RmsNorm(stream, weights.MtpNorm(layer), model.NormEpsilon);
            losses.Add(Predict(context, weights, hidden, labels, StepInput.MtpWeight, 1.0 / model.MtpDepth));
            ids = labels;
        }

        return losses;
    }

    private static Value Predict(
        LoweringContext context, WeightNames weights, Value hidden, Value labels, StepInput weight, double factor)
    {
        var logits = context.Linear(hidden, weights.Head, ModelPart.OutputHead);
        var (loss, lse) = (context.New(), context.New(Dim.Tokens));
        context.Graph.Add(new CrossEntropyOp(logits, labels, LoweringContext.Number(weight), factor, loss, lse));
        return loss;
    }
}
