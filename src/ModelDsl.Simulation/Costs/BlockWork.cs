using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Costs;

/// <summary>What stands between two places where a pipeline can be cut: a layer, the embedding, the head, an MTP module.</summary>
public enum BlockKind
{
    Embedding,
    Dense,
    Moe,
    Head,

    /// <summary>Projection, layer and head of a multi-token-prediction module.</summary>
    Mtp,
}

/// <summary>A block for one micro-batch: its kernels and its weights.</summary>
/// <param name="Attention">Everything before the exchange of tokens: attention, the norm after it, the router.</param>
/// <param name="FeedForward">Everything after it.</param>
/// <param name="Spec">What follows attention; null where nothing does.</param>
/// <param name="Memory">What it keeps of a micro-batch.</param>
public sealed record BlockWork(
    BlockKind Kind, HalfWork Attention, HalfWork FeedForward, ImmutableArray<BlockWeights> Weights, FeedForwardSpec? Spec,
    BlockMemory Memory)
{
    /// <summary>Its experts; null where there are none, and then nothing is exchanged.</summary>
    public MoeSpec? Moe => Spec as MoeSpec;

    public IEnumerable<KernelWork> Kernels => Attention.All.Concat(FeedForward.All);
}

/// <summary>Weights of one format on a rank.</summary>
/// <param name="Type">That the kernels read.</param>
/// <param name="Routed">Divided among the expert ranks; otherwise every rank of the stage has them.</param>
/// <param name="Divided">Among the tensor-parallel ranks, which hold all others whole.</param>
/// <param name="Shared">Embedding and head: an MTP module uses those of the model where it can reach them.</param>
public sealed record BlockWeights(DType Type, double Parameters, bool Routed, bool Divided, bool Shared)
{
    /// <summary>Ranks that hold the same parameters, and sum their gradients.</summary>
    /// <param name="copies">Of the stage, each on ranks that share its sequences.</param>
    public double Holders(double copies, ParallelSpec spread) =>
        Math.Max(1, copies * (Routed ? (double)spread.Tensor / spread.Expert : Divided ? 1 : spread.Tensor));
}
