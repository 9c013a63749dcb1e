namespace ModelDsl.Compiler.Graph.Ops.Collectives;

/// <summary>Which ranks talk to each other.</summary>
public enum CommAxis
{
    /// <summary>Those that share the heads of attention and the rows of a sequence.</summary>
    Tensor,

    /// <summary>Those among which the experts of a layer are divided.</summary>
    Expert,

    /// <summary>All that compute with a stage and one part of its heads.</summary>
    Data,

    /// <summary>All that compute with a stage.</summary>
    Replica,

    /// <summary>All that hold the same experts of a stage.</summary>
    ExpertReplica,

    /// <summary>The stages that hold one weight: the first and those with MTP modules, which read the embedding.</summary>
    Ends,

    /// <summary>Everybody.</summary>
    World,
}

/// <param name="Size">Ranks in the group.</param>
public sealed record CommGroup(CommAxis Axis, int Size)
{
    /// <summary><c>tensor x4</c>.</summary>
    public override string ToString() => $"{Name} x{Size}";

    private string Name => Axis == CommAxis.ExpertReplica ? "expert_replica" : Axis.ToString().ToLowerInvariant();
}
