using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>What one call of a phase does.</summary>
/// <param name="WorkspaceBytes">Size of the workspace that its offsets live in, at the plan's limits. Phases may share one
/// workspace.</param>
/// <param name="Taps">Intermediate tensors that are intact when the last step is done; empty unless asked for.</param>
public sealed record PhasePlan(Phase Phase, EquatableArray<LaunchStep> Steps, long WorkspaceBytes, EquatableArray<PlanTap> Taps)
{
    /// <summary>Lower-case name: <c>prefill</c>, <c>mtp_decode</c>.</summary>
    public string Name => Phase.Text();
}

/// <summary>A tensor for <c>--dump</c>, under its stable name: <c>hidden.3</c>.</summary>
/// <param name="At">In the workspace, or in an output.</param>
public sealed record PlanTap(string Name, PlanArgument At, DType Type, EquatableArray<Dim> Shape);
