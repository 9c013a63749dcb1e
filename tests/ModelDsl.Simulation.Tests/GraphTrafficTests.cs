using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Passes.Shard;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Training;
using ModelDsl.Simulation.Time;

namespace ModelDsl.Simulation.Tests;

/// <summary>What the plan moves is what the compiler's graph of a stage sends.</summary>
public class GraphTrafficTests
{
    private static readonly TrainSpec Run = Runs.DeepSeekV3;
    private static readonly TrainingPlan Plan = TrainingPlan.Of(Run);
    private static readonly OpCosts Costs = new(Run.Precision, Run.Data.Sequence);

    /// <summary>The second stage: four MoE layers, one before and one behind.</summary>
    private static readonly TrainingGraph Stage = TrainingGraph.OfStage(
        Run.Model, Run.Precision, Run.Data.Sequence,
        ParallelLayout.Of(Run) with { Stage = 1, Parts = [.. Plan.Stages.Select(stage => stage.Blocks.Length)] });

    private static double Sent(Work work, Func<Op, bool> of) => Stage.Graph.Ops.Where(op => op.Work == work && of(op)).Sum(op => Costs.Of(op).WireBytes);

    /// <summary>
    /// The graph sends a row for every expert to any of 64 ranks. That is what the plan has without deduplication between nodes, and within the
    /// token's own node.
    /// </summary>
    [Theory]
    [InlineData(Work.Forward)]
    [InlineData(Work.InputGradient)]
    public void Tokens_travel_as_planned(Work work)
    {
        bool IsRows(Op op, bool back) => op is AllToAllOp travel && travel.Back == back && travel.X.Type.Width == Run.Model.Hidden;
        var exchange = Plan.Exchange!;
        var toExperts = exchange.WithoutDeduplication / (7 / 8.0) * (63 / 64.0);
        Assert.Equal(4 * toExperts, Sent(work, op => IsRows(op, back: false)), 1);
        Assert.Equal(4 * toExperts / exchange.Dispatch.BytesPerToken * exchange.Combine.BytesPerToken, Sent(work, op => IsRows(op, back: true)), 1);
    }

    [Theory]
    [InlineData(Work.Forward)]
    [InlineData(Work.InputGradient)]
    public void Activations_go_from_stage_to_stage_as_planned(Work work) =>
        Assert.Equal(PipelineTimes.TransferBytes(Run), Sent(work, op => op is SendOp), 1);
}
