using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Schedules;
using ModelDsl.Simulation.Time;

namespace ModelDsl.Simulation.Tests;

/// <summary>DeepSeek-V3's run as it was laid out, held against what was published of it.</summary>
public class TrainingPlanTests
{
    private static readonly TrainSpec Run = Runs.DeepSeekV3;
    private static readonly TrainingWork Work = TrainingWork.Of(Run);
    private static readonly TrainingPlan Plan = TrainingPlan.Of(Run, Work);

    /// <summary>ISCA 2025, table 4. The bubble and the optimizer are residuals: the plan has 0.85 s less of the one and 0.36 s more of the other.</summary>
    [Fact]
    public void The_step_takes_what_was_measured()
    {
        var parts = Plan.Parts(0);
        Assert.Equal(19.926, Plan.PlannedSeconds, 1.99);
        Assert.Equal(1.13, parts.Forward, 1.13 * 0.05);
        Assert.Equal(1.99, parts.Backward, 1.99 * 0.05);
        Assert.Equal(0.48, parts.Weight, 0.48 * 0.15);
        Assert.Equal(13.95, parts.Pairs, 13.95 * 0.05);
        Assert.Equal(19.926 - Plan.PlannedSeconds, Plan.Residual!.Value, 1e-9);
        Assert.Contains("ISCA 2025", Plan.Measured!.Value.Source);
    }

    [Fact]
    public void Parts_of_every_rank_add_up_to_the_step() =>
        Assert.All(Enumerable.Range(0, 16), rank => Assert.Equal(Plan.PlannedSeconds, Plan.Parts(rank).Seconds, 1e-9));

    /// <summary>The trace's pair took 129.0 ms and hid 96 % of its communication.</summary>
    [Fact]
    public void The_pair_of_the_middle_takes_what_the_trace_shows()
    {
        Assert.Equal(129.0e-3, Plan.Pair!.Span, 129.0e-3 * 0.1);
        Assert.InRange(Plan.Pair.HiddenFraction, 0.96, 1);
    }

    /// <summary>Means of the trace, of one layer. What differs most is attention: its copies between kernels are not in the graph.</summary>
    [Fact]
    public void Components_of_a_layer_take_what_the_trace_shows()
    {
        var timer = new BlockTimer(Run, EfficiencyTable.BuiltIn, RoutingLoad.Balanced, null);
        var layer = timer.Of(Work.Layers[^1]).Beside;
        foreach (var (planned, measured, tolerance) in new[]
                 {
                     (layer.AttentionForward, 4370e-6, 0.20), (layer.MlpForward, 4604e-6, 0.15), (layer.MlpBackward, 5306e-6, 0.15),
                     (layer.MlpWeight, 5070e-6, 0.15), (layer.AttentionBackward, 9341e-6, 0.20), (layer.AttentionWeight, 2389e-6, 0.15),
                     (layer.Compute, 124.3e-3 / 4, 0.10),
                 })
            Assert.Equal(measured, planned, measured * tolerance);
    }

    /// <summary>The forward's products are what the model's FLOPs are counted on; both gradients cost as much again.</summary>
    [Fact]
    public void Work_is_that_of_the_models_flops()
    {
        bool IsLinear(KernelWork kernel) => kernel.Class is WorkClass.Fp8Gemm or WorkClass.Fp8GroupedGemm or WorkClass.WideGemm;
        var forward = Work.Layers.Append(Work.Head).SelectMany(block => block.Attention.Forward.Concat(block.FeedForward.Forward)).ToArray();
        // The router is not counted in the published figures.
        var router = 58 * 2.0 * 7168 * 256 * 4096;
        Assert.Equal(Work.Costs.LinearFlops * 4096, forward.Where(IsLinear).Sum(kernel => kernel.Flops) - router, 1e6);
        Assert.Equal(Work.Costs.AttentionFlops * 4096 / 2, forward.Where(kernel => kernel.Class == WorkClass.AttentionForward).Sum(kernel => kernel.Flops), 1e6);
        var layer = Work.Layers[^1];
        var weights = layer.Attention.BackwardWeight.Concat(layer.FeedForward.BackwardWeight).Where(kernel => kernel.Class == WorkClass.Fp8WeightGradient).Sum(kernel => kernel.Flops);
        Assert.Equal(2.0 * 4096 * (187_105_280 + 9 * 44_040_192L), weights, 1e6);
    }

    [Fact]
    public void Stages_hold_all_layers_in_order_and_none_is_much_slower_than_four()
    {
        Assert.Equal(16, Plan.Stages.Length);
        Assert.Equal(Work.Layers, Plan.Stages.SelectMany(stage => stage.Blocks).Where(block => block.Kind is BlockKind.Dense or BlockKind.Moe));
        Assert.Equal(
            [BlockKind.Embedding, BlockKind.Dense, BlockKind.Dense, BlockKind.Dense, BlockKind.Moe], Plan.Stages[0].Blocks.Select(block => block.Kind));
        Assert.Equal([BlockKind.Moe, BlockKind.Head, BlockKind.Mtp], Plan.Stages[^1].Blocks.Select(block => block.Kind));
        Assert.All(Plan.Stages[..^1], stage => Assert.Equal(4, stage.Layers));
    }

    /// <summary>Against trying every way to cut seven layers.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void The_even_cut_is_the_best_there_is(int stages)
    {
        var work = TrainingWork.Of(Run.Model with { Layers = Run.Model.Layers.Take(7).ToEquatable() }, Run.Precision, 4096);
        var timer = new BlockTimer(Run, EfficiencyTable.BuiltIn, RoutingLoad.Balanced, null);
        var units = work.Layers.Select(timer.Compute).ToList();
        units[0] += timer.Compute(work.Embedding);
        units.Add(timer.Compute(work.Head) + timer.Compute(work.Mtp!));
        double Most(int first, int left) => left == 1
            ? units.Skip(first).Sum()
            : Enumerable.Range(1, units.Count - first - left + 1).Min(count => Math.Max(units.Skip(first).Take(count).Sum(), Most(first + count, left - 1)));
        var cut = StageLayout.Of(work, stages, timer.Compute, mirrored: false).Single();
        Assert.Equal(Most(0, stages), cut.Max(stage => stage.Blocks.Sum(timer.Compute)), 1e-9);
    }

    /// <summary>Three layers first and two last, as the compiler cuts: on rank 0 as much in all, elsewhere not as quick.</summary>
    [Fact]
    public void Stages_can_be_given()
    {
        var given = TrainingPlan.Of(Run, Work, new PlanOptions(StageLayers: [3, .. Enumerable.Repeat(4, 14), 2]));
        Assert.Equal((3, 2), (given.Stages[0].Layers, given.Stages[^1].Layers));
        Assert.InRange(given.PlannedSeconds / Plan.PlannedSeconds, 1.01, 1.03);
        Assert.True(given.Memory.Ranks[0].Peak < Plan.Memory.Ranks[0].Peak);
    }

    [Theory]
    [InlineData("2 stages are given for a pipeline of 16", 30, 31)]
    [InlineData("the stages hold 16 layers, and the model has 61", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)]
    [InlineData("every stage but the last holds at least one layer", 61, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)]
    public void Stages_that_cannot_be_are_refused(string problem, params int[] layers) =>
        Assert.Equal(problem, StageLayout.Problem(Run.Model, 16, [.. layers]));

    /// <summary>Published: 2788 thousand GPU hours and 5.576 million dollars, 5 thousand hours of post-training among them that the file does not describe.</summary>
    [Fact]
    public void The_run_costs_what_was_published()
    {
        var measured = TrainingPlan.Of(Run, Work, new PlanOptions(StepSeconds: 19.926));
        Assert.Equal(5.576e6, measured.Cost.Dollars!.Value, 5.576e6 * 0.02);
        Assert.Equal(5.576e6, Plan.Cost.Dollars!.Value, 5.576e6 * 0.06);
        Assert.Equal([4096, 32768, 131072], measured.Cost.Stages.Select(stage => stage.Sequence));
    }

    [Fact]
    public void Measured_layer_times_give_the_published_pair()
    {
        var layer = new Overlap.LayerTimes(4370e-6, 4604e-6, 5306e-6, 5070e-6, 9341e-6, 2389e-6, 6690e-6, 7487e-6, 8684e-6, 5769e-6);
        var plan = TrainingPlan.Of(Run, Work, new PlanOptions(LayerTimes: layer));
        Assert.Equal(129.0e-3, plan.Pair!.Span, 129.0e-3 * 0.03);
        Assert.Equal(19.926, plan.PlannedSeconds, 1.99);
    }

    /// <summary>Twenty multiprocessors of 132 given to communication beat none and beat sixty.</summary>
    [Fact]
    public void The_published_division_of_multiprocessors_is_a_good_one()
    {
        double Seconds(int sms) => TrainingPlan.Of(Run with { Schedule = Run.Schedule with { CommSms = sms } }, Work).PlannedSeconds;
        Assert.True(Plan.PlannedSeconds < Seconds(0) && Plan.PlannedSeconds < Seconds(8) && Plan.PlannedSeconds < Seconds(60));
    }

    [Fact]
    public void Uneven_routing_takes_longer()
    {
        var uneven = TrainingPlan.Of(Run, Work, new PlanOptions(Routing: RoutingLoad.PowerLaw(1.01, 256)));
        Assert.True(uneven.PlannedSeconds > Plan.PlannedSeconds * 1.05);
        Assert.True(uneven.Memory.Peak > Plan.Memory.Peak);
        Assert.Null(uneven.Residual);
    }

    [Fact]
    public void Measured_times_of_every_rank_leave_what_the_published_rule_says()
    {
        var plan = TrainingPlan.Of(Run, Work, new PlanOptions(new OpTimes(1, 1, 1, 2.5)));
        Assert.Equal((319, 10.5), (plan.Timeline.Makespan, Enumerable.Range(0, 16).Max(plan.Timeline.Bubble)));
    }

    [Theory]
    [InlineData("gpipe")]
    [InlineData("1f1b")]
    [InlineData("interleaved")]
    [InlineData("zb1p")]
    [InlineData("dualpipe")]
    [InlineData("dualpipev")]
    public void Every_schedule_can_be_planned(string name)
    {
        int? batches = name == "interleaved" ? 64 : null;
        var plan = TrainingPlan.Of(Run with { Schedule = Run.Schedule with { Kind = name, MicroBatches = batches } }, Work);
        Assert.InRange(plan.PlannedSeconds, 15, 60);
        Assert.Empty(plan.Timeline.Stuck);
        // All GPUs take part.
        Assert.Equal(2048, plan.DataParallel * plan.Schedule.Ranks);
        Assert.Equal(batches is null ? 62_914_560 : 256 * 64 * 4096, plan.TokensPerStep);
    }

    /// <summary>Without query latents, without groups, without experts, without MTP modules: everything is finite and within reason.</summary>
    [Theory]
    [InlineData("V2", 20, 32)]
    [InlineData("V2Lite", 4, 8)]
    [InlineData("dense", 4, 1)]
    [InlineData("bf16", 16, 64)]
    public void Other_models_can_be_planned(string name, int pipeline, int expert)
    {
        var model = name switch
        {
            "V2" => Models.V2,
            "V2Lite" => Models.V2Lite,
            "dense" => Models.V3 with { Layers = Enumerable.Repeat(Models.V3.Layers[0], 12).ToEquatable(), MtpDepth = 0 },
            _ => Models.V3,
        };
        var run = Run with
        {
            Model = model,
            Precision = name == "bf16" ? BuiltInPrecision.Bf16 : Run.Precision,
            Cluster = Run.Cluster with { Nodes = 256 / 16 * pipeline },
            Parallel = Run.Parallel with { Pipeline = pipeline, Expert = expert },
            Schedule = Run.Schedule with { MicroBatches = 8 * pipeline },
        };
        var plan = TrainingPlan.Of(run);
        Assert.Equal(expert == 1, plan.Exchange is null);
        Assert.Equal(model.Layers.Count, plan.Stages.Sum(stage => stage.Layers));
        Assert.InRange(plan.Throughput.MfuCausal, 0.05, 0.6);
        Assert.All(Enumerable.Range(0, pipeline), rank => Assert.Equal(plan.PlannedSeconds, plan.Parts(rank).Seconds, 1e-9));
        Assert.All(plan.Memory.Ranks, rank => Assert.InRange(rank.Peak, 1e9, 1e12));
        Assert.Null(plan.Residual);
    }

    [Fact]
    public void The_nearest_measured_shape_counts_and_a_users_row_replaces_its_class()
    {
        var table = EfficiencyTable.BuiltIn.With(
        [
            new EfficiencyRow(WorkClass.Fp8Gemm, 4096, 7168, 0.9, "here"), new EfficiencyRow(WorkClass.Fp8Gemm, 512, 512, 0.2, "here"),
        ]);
        Assert.Equal((0.9, 0.2), (table.Of(WorkClass.Fp8Gemm, 8192, 7168).Value, table.Of(WorkClass.Fp8Gemm, 256, 1024).Value));
        Assert.Equal(EfficiencyTable.BuiltIn.Of(WorkClass.Cast), table.Of(WorkClass.Cast));
        Assert.True(TrainingPlan.Of(Run, Work, new PlanOptions(Efficiencies: table)).PlannedSeconds < Plan.PlannedSeconds);
        Assert.All(EfficiencyTable.BuiltIn.Rows, row => Assert.True(row.Value is > 0 and <= 1 && row.Source.Length > 0));
        Assert.All(Enum.GetValues<WorkClass>(), kind => Assert.Equal(kind, EfficiencyTable.BuiltIn.Of(kind).Class));
    }
}
