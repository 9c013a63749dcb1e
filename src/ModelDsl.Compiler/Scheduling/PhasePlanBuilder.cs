using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Passes.SelectKernels;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>A graph whose ops are launches and whose values have places, as a plan.</summary>
public static class PhasePlanBuilder
{
    /// <exception cref="PassException">A pass that the plan needs was left out.</exception>
    public static PhasePlan Build(ModelGraph graph)
    {
        var memory = graph.Memory ?? throw new PassException("The plan has no memory map.", "Let plan-memory run last.");
        var steps = new List<LaunchStep>();
        foreach (var op in graph.Ops)
        {
            if (op is LaunchOp launch) steps.Add(Step(launch, memory));
            else if (op.Shares.All(sharing => sharing.Kind != SharingKind.View))
                throw new PassException($"No kernel was selected for {op.Mnemonic}.", "Let select-kernels run before plan-memory.");
        }

        return new PhasePlan(graph.Phase, steps.ToEquatable(), memory.Bytes, graph.Taps.Select(tap => Tap(tap, memory)).ToEquatable());
    }

    private static LaunchStep Step(LaunchOp launch, MemoryMap memory) => new(
        launch.Kernel,
        launch.Kernel.Geometry.For(launch.Rows),
        launch.Arguments.Select(argument => Argument(argument, memory)).ToEquatable(),
        launch.Layer,
        GraphPrinter.Print(launch.Source),
        launch.Origin);

    private static PlanArgument Argument(LaunchArgument argument, MemoryMap memory) => argument switch
    {
        SizeArgument size => new DimArgument(size.Size),
        TensorArgument { Value: Temporary temporary } tensor => Argument(memory.Places[temporary.Id], tensor.Scales),
        TensorArgument { Value: WeightValue weight } tensor =>
            new WeightArgument(weight.Weight.Key, tensor.Scales ? WeightArea.Scales : WeightArea.Values),
        TensorArgument { Value: InputValue input } => new InputArgument(input.Input),
        TensorArgument { Value: LogitsValue } => new OutputArgument(StepOutput.Logits),
        TensorArgument { Value: CacheValue cache } => new CacheArgument(cache.Layer),
        TensorArgument { Value: TableValue table } => new TableArgument(table.Table),
        _ => throw new InvalidOperationException($"No plan argument for {argument}."),
    };

    private static PlanArgument Argument(Place place, bool scales) => place switch
    {
        WorkspacePlace at => scales ? new WorkspaceArgument(at.ScalesOffset) : new WorkspaceArgument(at.Offset, at.Extra),
        OutputPlace at => new OutputArgument(at.Output, at.Extra),
        CachePlace at => new CacheArgument(at.Layer),
        _ => throw new InvalidOperationException($"No plan argument for {place}."),
    };

    private static PlanTap Tap(GraphTap tap, MemoryMap memory) =>
        new(tap.Name, Argument(memory.Places[((Temporary)tap.Value).Id], scales: false), tap.Value.Type.Type, tap.Value.Type.Shape);
}
