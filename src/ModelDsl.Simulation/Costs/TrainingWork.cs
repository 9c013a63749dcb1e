using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Passes.Shard;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Training;

namespace ModelDsl.Simulation.Costs;

/// <summary>
/// A model's training work, block by block, for one sequence on one of the GPUs that share it, each with all experts: what a layout divides further.
/// Counted on the compiler's training graph, as its own pass shards that among tensor-parallel ranks. Independent of the cluster and of the rest
/// of the layout, so that many can be tried on it.
/// </summary>
/// <param name="Tensor">Ranks that share a sequence.</param>
/// <param name="Layers">Of every layer of the model; equal layers share theirs.</param>
/// <param name="Mtp">Null where the model has no MTP modules.</param>
public sealed record TrainingWork(
    ModelSpec Model, PrecisionSpec Precision, int Sequence, int Tensor, ModelCosts Costs,
    BlockWork Embedding, ImmutableArray<BlockWork> Layers, BlockWork Head, BlockWork? Mtp)
{
    public static TrainingWork Of(TrainSpec train) => Of(train.Model, train.Precision, train.Data.Sequence, train.Parallel.Tensor);

    public static TrainingWork Of(ModelSpec model, PrecisionSpec precision, int sequence, int tensor = 1)
    {
        var kinds = LayerKinds.Of(model);
        var graph = TrainingGraph.OfStage(kinds.Small, precision, sequence, new ParallelLayout(stages: 1, stage: 0, tensor, expert: 1, data: 1));
        var rows = new RankRows(graph.Graph, sequence, tensor);
        var kernels = new GraphWork(graph, rows);
        var memory = new GraphMemory(graph, rows);
        var ops = graph.Graph.Ops.ToLookup(op => op.Layer);
        var blocks = kinds.Small.Layers.Select((layer, i) => Layer(
            layer.FeedForward is MoeSpec ? BlockKind.Moe : BlockKind.Dense, [.. ops[i]], layer.FeedForward, kernels, memory)).ToArray();
        BlockWork Outside(BlockKind kind, bool embedding) =>
            Whole(kind, [.. ops[null].Where(op => op is EmbeddingOp or EmbeddingGradOp == embedding)], kernels, memory);
        return new TrainingWork(
            model, precision, sequence, tensor, ModelCosts.Of(model, sequence),
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
