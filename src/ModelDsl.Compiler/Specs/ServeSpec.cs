using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Specs;

/// <summary>A serving deployment with separate prefill and decode units.</summary>
public sealed record ServeSpec(
    string Name,
    ModelSpec Model,
    PrecisionSpec Precision,
    ClusterSpec Cluster,
    ServePhase? Prefill,
    ServePhase? Decode,
    KvCacheSpec KvCache,
    double? RebalanceSeconds,
    Origin Origin);

/// <param name="UnitNodes">Nodes of one unit.</param>
/// <param name="OverlapMicroBatches">Micro-batches whose compute and communication overlap; 1: none.</param>
/// <param name="Draft">Tokens drafted by MTP per step; 0: no speculation.</param>
public sealed record ServePhase(
    int UnitNodes, AttentionLayout Attention, ExpertLayout Experts, int OverlapMicroBatches, int Draft, Origin Origin);

public sealed record AttentionLayout(int Tensor, bool Sequence, int Data, Origin Origin);

public sealed record ExpertLayout(int Expert, int Redundant, Origin Origin);

/// <param name="Page">Tokens per page.</param>
public sealed record KvCacheSpec(int Page, NumberFormat Format, Origin Origin)
{
    public static KvCacheSpec Default { get; } = new(64, NumberFormat.Bf16, Origin.None);
}
