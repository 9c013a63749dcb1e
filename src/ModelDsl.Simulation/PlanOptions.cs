using System.Collections.Immutable;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Overlap;
using ModelDsl.Simulation.Schedules;
using ModelDsl.Simulation.Time;

namespace ModelDsl.Simulation;

/// <summary>What is known of a run besides its file. Whatever is absent is planned.</summary>
/// <param name="Times">Measured, seconds: of every rank's ops.</param>
/// <param name="LayerTimes">Measured: of an MoE layer.</param>
/// <param name="StepSeconds">Measured: of a step of the full batch.</param>
/// <param name="Efficiencies">What kernels and links reach; null: <see cref="EfficiencyTable.BuiltIn"/>.</param>
/// <param name="Routing">How evenly experts are chosen; null: <see cref="RoutingLoad.Balanced"/>.</param>
/// <param name="StageLayers">Layers of every stage; null: <see cref="StageLayout"/> finds them.</param>
public sealed record PlanOptions(
    OpTimes? Times = null, LayerTimes? LayerTimes = null, double? StepSeconds = null, EfficiencyTable? Efficiencies = null,
    RoutingLoad? Routing = null, ImmutableArray<int>? StageLayers = null)
{
    public static PlanOptions None { get; } = new();
}
