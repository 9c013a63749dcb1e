using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Costs;

/// <summary>
/// A model's training work, block by block, for one micro-batch of one sequence on one GPU that has all experts: what a layout divides.
/// Counted on the compiler's graph in the policy's formats. Independent of the cluster and of the layout, so that many can be tried on it.
/// </summary>
/// <param name="Layers">Of every layer of the model; equal layers share theirs.</param>
/// <param name="Mtp">Null where the model has no MTP modules.</param>
public sealed record TrainingWork(
    ModelSpec Model, PrecisionSpec Precision, int Sequence, ModelCosts Costs,
    BlockWork Embedding, ImmutableArray<BlockWork> Layers, BlockWork Head, BlockWork? Mtp)
{
    public static TrainingWork Of(TrainSpec train) => Of(train.Model, train.Precision, train.Data.Sequence);

    public static TrainingWork Of(ModelSpec model, PrecisionSpec precision, int sequence)
    {
        // Equal layers do equal work: one of each kind is lowered.
        var kinds = model.Layers.Select(layer => layer.FeedForward).Distinct().ToArray();
        var small = model with { Layers = kinds.Select(kind => model.Layers.First(layer => layer.FeedForward == kind)).ToEquatable() };
        var counter = new GraphWork(precision, sequence);
        var ops = Place(ModelLowering.LowerStep(small, Phase.Prefill, Options(sequence)), precision, sequence);
        var blocks = kinds.Select((kind, i) => counter.Layer([.. ops.Where(op => op.Layer == i)], kind)).ToArray();
        var outside = ops.Where(op => op.Layer is null).ToImmutableArray();
        var head = counter.Outside(BlockKind.Head, [.. outside.Where(op => op is not EmbeddingOp)]) with { Heads = 1 };
        return new TrainingWork(
            model, precision, sequence, ModelCosts.Of(model, sequence),
            counter.Outside(BlockKind.Embedding, [.. outside.Where(op => op is EmbeddingOp)]),
            [.. model.Layers.Select(layer => blocks[Array.IndexOf(kinds, layer.FeedForward)])],
            head,
            model.MtpDepth == 0 ? null : Module(small, counter, precision, sequence));
    }

    private static BlockWork Module(ModelSpec model, GraphWork counter, PrecisionSpec precision, int sequence)
    {
        var ops = Place(MtpLowering.Lower(model, Phase.MtpPrefill, Options(sequence)), precision, sequence);
        var layer = counter.Layer([.. ops.Where(op => op.Layer is not null)], model.Layers[^1].FeedForward);
        // The projection comes before attention, the head after the experts; norms stand with what follows them.
        var outside = ops.Where(op => op.Layer is null).ToArray();
        var projection = Array.FindIndex(outside, op => op is LinearOp);
        var before = counter.Outside(BlockKind.Mtp, [.. outside.Take(projection + 1)]);
        var after = counter.Outside(BlockKind.Mtp, [.. outside.Skip(projection + 1)]);
        return new BlockWork(
            BlockKind.Mtp, Join(before.FeedForward, layer.Attention), Join(layer.FeedForward, after.FeedForward),
            [.. before.Weights, .. layer.Weights, .. after.Weights], layer.Spec, Heads: 1);
    }

    private static HalfWork Join(HalfWork a, HalfWork b) => new(
        [.. a.Forward, .. b.Forward], [.. b.BackwardInput, .. a.BackwardInput], [.. b.BackwardWeight, .. a.BackwardWeight]);

    private static ImmutableArray<Op> Place(ModelGraph graph, PrecisionSpec precision, int sequence) =>
        Pipeline.Run(graph, precision, new PlanLimits(sequence, 1, sequence), [new PassCall("place-precision")]).Ops;

    private static LoweringOptions Options(int sequence) => new(sequence, Page: 64, SplitPages: 4, Taps: false);
}
