using System.Collections.Immutable;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.WhatIf;
using ModelDsl.Testing;

namespace ModelDsl.Simulation.Tests;

public class WhatIfTests
{
    /// <summary>DeepSeek-V3's first twelve layers on 32 GPUs: small enough to try everything.</summary>
    public const string Small = """

        model Short from DeepSeekV3 {
          layers 0..2  { dense { width = 18432 } }
          layers 3..11 { moe { routed = 32, width = 2048 } }
        }
        cluster H800x32 from H800x2048 { nodes = 4 }
        train Quick from Pretrain { model = Short, cluster = H800x32, batch = 960, parallel { pipeline = 4, expert = 8 } }
        """;

    [Fact]
    public void A_search_tries_thousands_of_layouts_that_all_divide()
    {
        var train = Runs.DeepSeekV3;
        var layouts = LayoutSearch.Layouts(train, ["", "norm", "norm+swiglu", "mla_up+norm+swiglu"]).ToArray();
        Assert.InRange(layouts.Length, 5_000, 100_000);
        Assert.Equal(layouts.Length, layouts.Distinct().Count());
        Assert.Contains(new Layout(256, 16, 64, 1, "dualpipe", 1, "mla_up+norm+swiglu"), layouts);
        Assert.DoesNotContain(layouts, layout => layout.Schedule == "dualpipe" && layout.Pipeline % 2 != 0);
        Assert.All(layouts, layout => Assert.Equal(0, layout.Nodes * 8 % (ScheduleRules.Ranks(layout.Schedule, layout.Pipeline) * layout.Tensor * layout.Expert)));
    }

    [Fact]
    public void Nothing_on_the_front_is_beaten_and_all_of_it_fits()
    {
        var train = Quick();
        var result = LayoutSearch.Run(train);
        Assert.True(result.Tried > 300, $"{result.Tried} layouts");
        Assert.InRange(result.Fitting, 1, result.Tried);
        Assert.NotNull(result.Own);
        Assert.All(result.Front, found =>
        {
            Assert.True(found.MemoryBytes <= train.Cluster.Gpu.MemoryBytes);
            Assert.DoesNotContain(result.Front, other => other.Dominates(found));
        });
        Assert.Contains(result.Front, found => found == result.Own || found.StepSeconds <= result.Own!.StepSeconds && found.Gpus <= result.Own.Gpus);
        Assert.Equal(string.Join("\n", result.Front), string.Join("\n", LayoutSearch.Run(train).Front));
    }

    [Fact]
    public void A_layout_found_is_planned_like_one_written_down()
    {
        var train = Quick();
        var own = LayoutSearch.Run(train).Own!;
        var plan = TrainingPlan.Of(train);
        Assert.Equal((plan.PlannedSeconds, plan.Memory.Peak, plan.Schedule.MicroBatches), (own.StepSeconds, own.MemoryBytes, own.MicroBatches));
    }

    /// <summary>Twice the sequences in half the micro-batches: what a micro-batch keeps and sends doubles, its fixed parts do not.</summary>
    [Fact]
    public void Larger_micro_batches_are_fewer_keep_more_and_announce_fewer_exchanges()
    {
        var train = Runs.DeepSeekV3;
        var (one, two) = (TrainingPlan.Of(train), TrainingPlan.Of(train with { Schedule = train.Schedule with { MicroBatchSize = 2 } }));
        Assert.Equal((120, 60), (one.Schedule.MicroBatches, two.Schedule.MicroBatches));
        Assert.Equal(one.TokensPerStep, two.TokensPerStep);
        Assert.Equal(2 * one.Exchange!.Dispatch.NicBytes, two.Exchange!.Dispatch.NicBytes);
        Assert.Equal(2 * one.Times.Transfer, two.Times.Transfer, 1e-12);
        Assert.Equal(2 * Held(one, "activations"), Held(two, "activations"), 1.0);
        Assert.Equal(Held(one, "weights"), Held(two, "weights"));
        // At 4096 tokens no kernel waits for weights; what is saved are the notices before exchanges: two a layer, 58 layers with experts and MTP's on 16 ranks.
        var notices = 2 * 59 / 16.0 * EfficiencyTable.BuiltIn.Of(WorkClass.ExchangeNotice).Value;
        Assert.Equal(2 * one.MeanTimes.Forward - notices, two.MeanTimes.Forward, 1e-9);

        // During the first forward, the same op of both programs.
        static double Held(TrainingPlan plan, string consumer) => plan.MemoryOverTime(0)[0].Consumers.Single(found => found.Name == consumer).Bytes;
    }

    [Fact]
    public void A_search_weighs_few_large_micro_batches_against_many_small_ones()
    {
        var train = Quick();
        var sizes = LayoutSearch.Layouts(train, [""]).GroupBy(layout => layout with { MicroBatchSize = 0 }).ToArray();
        Assert.Contains(sizes, layouts => layouts.Select(layout => layout.MicroBatchSize).SequenceEqual([1, 2, 4, 8]));
        var own = Assert.Single(sizes, layouts => layouts.Key == new Layout(4, 4, 8, 1, "dualpipe", 0, ""));
        // 960 sequences over 8 pipelines are 120, of which DualPipe's four ranks want at least 8 micro-batches, an even number.
        Assert.Equal([1, 2, 4], own.Select(layout => layout.MicroBatchSize));
    }

    [Fact]
    public void What_does_not_fit_is_no_result()
    {
        var train = Runs.DeepSeekV3;
        var work = TrainingWork.Of(train);
        Assert.Null(TrainingPlan.OfFitting(train with { Parallel = train.Parallel with { Pipeline = 8 } }, work, PlanOptions.None));
        Assert.NotNull(TrainingPlan.OfFitting(train, work, PlanOptions.None));
    }

    [Theory]
    [InlineData("parallel.pipeline=4,8,16", "parallel.pipeline", "4|8|16")]
    [InlineData("batch = ramp(3072, to: 15360, over: 469B tokens), 1920", "batch", "ramp(3072, to: 15360, over: 469B tokens)|1920")]
    [InlineData("x=1", "x", "1")]
    public void An_axis_has_a_path_and_values(string text, string path, string values)
    {
        var axis = SweepAxis.TryParse(text)!;
        Assert.Equal((path, values), (axis.Path, string.Join('|', axis.Values)));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("=1")]
    [InlineData("x=")]
    [InlineData("x=1,,2")]
    public void What_is_no_axis_is_refused(string text) => Assert.Null(SweepAxis.TryParse(text));

    [Fact]
    public void Several_axes_give_every_combination() => Assert.Equal(
        ["1a", "1b", "2a", "2b"],
        SweepAxis.Combinations([new SweepAxis("x", ["1", "2"]), new SweepAxis("y", ["a", "b"])]).Select((ImmutableArray<string> values) => string.Concat(values)));

    /// <summary>The fullest moment of the curve is the peak, and consumers add up to it.</summary>
    [Fact]
    public void Memory_over_time_reaches_the_peak()
    {
        var plan = TrainingPlan.Of(Runs.DeepSeekV3);
        var curve = plan.MemoryOverTime(0);
        Assert.Equal(plan.Schedule.Programs[0].Length, curve.Length);
        Assert.Equal(plan.Memory.Ranks[0].Peak, curve.Max(sample => sample.Consumers.Sum(consumer => consumer.Bytes)), 1.0);
        Assert.Equal(curve.Select(sample => sample.Seconds).Order(), curve.Select(sample => sample.Seconds));
    }

    private static TrainSpec Quick()
    {
        var path = Repository.PathTo("samples", "deepseek-v3", "deepseek-v3.dsm");
        var program = FrontEnd.Bind(SourceText.From(path, File.ReadAllText(path) + Small));
        Assert.False(program.HasErrors, string.Join('\n', program.Diagnostics.Where(d => d.IsError).Select(d => d.Message)));
        return program.Trains.Single(train => train.Name == "Quick");
    }
}
