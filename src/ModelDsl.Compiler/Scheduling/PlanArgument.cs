using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>What a launch passes for one parameter of its kernel. Closed: the records of this file are all there are.</summary>
public abstract record PlanArgument;

/// <summary>An address in the workspace: <c>workspace + Offset + Extra</c>.</summary>
/// <param name="Offset">Bytes, known when compiled.</param>
/// <param name="Extra">Bytes that depend on the step: a view of the last rows. Null: none.</param>
public sealed record WorkspaceArgument(long Offset, Dim? Extra = null) : PlanArgument;

/// <summary>An address in a weight tensor's values or in its scales, <paramref name="Offset"/> bytes in.</summary>
public sealed record WeightArgument(string Key, WeightArea Area = WeightArea.Values, long Offset = 0) : PlanArgument;

public enum WeightArea
{
    Values,
    Scales,
}

/// <summary>The paged latent cache of one layer.</summary>
public sealed record CacheArgument(int Layer) : PlanArgument;

/// <summary>A table that the runtime computes once from <see cref="RopeTable"/>.</summary>
public sealed record TableArgument(PlanTable Table) : PlanArgument;

/// <summary>What the caller of a step supplies: an address, or the number itself where <see cref="StepInputs.IsScalar"/>.</summary>
public sealed record InputArgument(StepInput Input) : PlanArgument;

/// <summary>Where the caller of a step finds its result, <paramref name="Extra"/> bytes in.</summary>
public sealed record OutputArgument(StepOutput Output, Dim? Extra = null) : PlanArgument;

/// <summary>A number that follows from the sizes of the step, as <c>.s32</c>.</summary>
public sealed record DimArgument(Dim Value) : PlanArgument;
