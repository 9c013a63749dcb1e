using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Training;

namespace ModelDsl.Simulation.Costs;

/// <summary>
/// A model's training work, block by block, for one micro-batch of one sequence on one GPU that has all experts: what a layout divides.
/// Counted on the compiler's training graph. Independent of the cluster and of the layout, so that many can be tried on it.
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
        var kinds = LayerKinds.Of(model);
        var graph = TrainingGraph.Of(kinds.Small, precision, sequence);
        var kernels = new GraphWork(graph, sequence);
        var memory = new GraphMemory(graph, sequence);
        var ops = graph.Graph.Ops.ToLookup(op => op.Layer);
        var blocks = kinds.Small.Layers.Select((layer, i) => Layer(
            layer.FeedForward is MoeSpec ? BlockKind.Moe : BlockKind.Dense, [.. ops[i]], layer.FeedForward, kernels, memory)).ToArray();
        BlockWork Outside(BlockKind kind, bool embedding) =>
            Whole(kind, [.. ops[null].Where(op => op is EmbeddingOp or EmbeddingGradOp == embedding)], kernels, memory);
        return new TrainingWork(
            model, precision, sequence, ModelCosts.Of(model, sequence),
            Outside(BlockKind.Embedding, true), [.. kinds.KindOf.Select(kind => blocks[kind])], Outside(BlockKind.Head, false),
            model.MtpDepth == 0 ? null : Layer(
                BlockKind.Mtp, [.. ops[kinds.Small.Layers.Count]], model.Layers[model.Layers.Count - 1].FeedForward, kernels, memory));
    }

    /// <summary>The same block of the same model under another policy.</summary>
    public BlockWork Counterpart(BlockWork block, TrainingWork other) => block.Kind switch
    {
        BlockKind.Embedding => other.Embedding,
        BlockKind.Head => other.Head,
        BlockKind.Mtp => other.Mtp!,
        _ => other.Layers[Layers.IndexOf(block)],
    };

    private static BlockWork Layer(BlockKind kind, ImmutableArray<Op> ops, FeedForwardSpec spec, GraphWork kernels, GraphMemory memory)
    {
        var (attention, feedForward) = LayerHalves.Of(ops);
        return new BlockWork(kind, kernels.Of(attention), kernels.Of(feedForward), kernels.Weights(ops), spec, memory.Of(ops));
    }

    /// <summary>What has no attention: all of it counts as feed-forward.</summary>
    private static BlockWork Whole(BlockKind kind, ImmutableArray<Op> ops, GraphWork kernels, GraphMemory memory) =>
        new(kind, HalfWork.None, kernels.Of(ops), kernels.Weights(ops), null, memory.Of(ops));
}
