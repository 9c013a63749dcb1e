using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Costs;

/// <summary>What a model is and costs, counted on its graph: every weight that is loaded, every product that is computed.</summary>
/// <param name="Parameters">All weights, MTP modules apart.</param>
/// <param name="Active">Those that take part in one token, embedding and head included.</param>
/// <param name="Embedding">Rows of the embedding; the head has as many.</param>
/// <param name="Mtp">The MTP modules, without their copies of embedding and head.</param>
/// <param name="KvBytesPerToken">Cached per token in all layers, BF16.</param>
/// <param name="LinearFlops">Forward FLOPs per token of all linear layers and the head; the router is not counted, as in the published figures.</param>
/// <param name="AttentionFlops">Forward FLOPs per token of the core of attention over a whole sequence, nothing masked.</param>
public sealed record ModelCosts(
    long Parameters, long Active, long Embedding, long Mtp, long KvBytesPerToken, double LinearFlops, double AttentionFlops)
{
    // A product's two gradients cost as much as two more of it.
    private const int TrainingFactor = 3;

    /// <param name="sequence">Tokens that attend to each other.</param>
    public static ModelCosts Of(ModelSpec model, int sequence)
    {
        var options = new LoweringOptions(sequence, Page: 64, SplitPages: 4, Taps: false);
        var kinds = LayerKinds.Of(model);
        var graph = ModelLowering.LowerStep(kinds.Small, Phase.Prefill, options);
        var counts = Enumerable.Range(0, kinds.Small.Layers.Count).Select(kinds.Count).ToArray();
        int Times(int? layer) => layer is { } kind ? counts[kind] : 1;

        var parameters = graph.Weights.Sum(entry => entry.Weight.Parameters * Times(entry.Layer));
        var idle = model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>()
            .Sum(moe => 3L * model.Hidden * moe.Width * (moe.Routed - moe.Active));
        double Each(Dim rows) => rows.Evaluate(_ => sequence) / (double)sequence;
        var linear = graph.Ops.Sum(op => Times(op.Layer) * op switch
        {
            LinearOp { Part: not ModelPart.Router } product =>
                2.0 * Each(product.X.Type.Rows) * product.X.Type.Width * product.Weight.Type.Rows.Constant!.Value,
            GroupedLinearOp product => 2.0 * Each(product.X.Type.Rows) * product.X.Type.Width * product.Weight.Type.Shape[1].Constant!.Value,
            _ => 0,
        });
        var attention = graph.Ops.Sum(op => op is MlaPrefillOp core ? 2.0 * Times(op.Layer) * core.Mla.Heads * (core.Mla.QkDim + core.Mla.VDim) * sequence : 0);
        return new ModelCosts(
            parameters, parameters - idle, (long)model.Vocabulary * model.Hidden, model.MtpDepth * MtpParameters(kinds.Small, options),
            2L * model.Layers.Count * model.Attention.CacheWidth, linear, attention);
    }

    /// <summary>Training FLOPs per token when half of the attention matrix is masked.</summary>
    public double TrainingFlopsCausal => TrainingFactor * (LinearFlops + AttentionFlops / 2);

    /// <summary>Training FLOPs per token when attention counts in full.</summary>
    public double TrainingFlopsNonCausal => TrainingFactor * (LinearFlops + AttentionFlops);

    private static long MtpParameters(ModelSpec model, LoweringOptions options) => model.MtpDepth == 0
        ? 0
        : MtpLowering.Lower(model, Phase.MtpPrefill, options).Weights
            .Where(entry => entry.Weight.Key.StartsWith($"layers.{model.Layers.Count}.", StringComparison.Ordinal))
            .Sum(entry => entry.Weight.Parameters);
}
