using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Overlap;
using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Simulation;

/// <summary>What is known of a run besides its file. Whatever is absent is planned.</summary>
/// <param name="Times">Measured, seconds: of every rank's ops.</param>
/// <param name="LayerTimes">Measured: of an MoE layer.</param>
/// <param name="StepSeconds">Measured: of a step of the full batch.</param>
/// <param name="Efficiencies">What kernels and links reach; null: <see cref="EfficiencyTable.BuiltIn"/>.</param>
/// <param name="Routing">How evenly experts are chosen; null: <see cref="RoutingLoad.Balanced"/>.</param>
public sealed record PlanOptions(
    OpTimes? Times = null, LayerTimes? LayerTimes = null, double? StepSeconds = null, EfficiencyTable? Efficiencies = null,
    RoutingLoad? Routing = null)
{
    public static PlanOptions None { get; } = new();
}
