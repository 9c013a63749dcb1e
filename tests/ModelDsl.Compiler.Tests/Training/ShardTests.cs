using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Passes.Shard;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Compiler.Tests.Training.Evaluation;
using ModelDsl.Compiler.Training;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Training;

/// <summary>A step on many ranks is the step on one.</summary>
public class ShardTests
{
    private static readonly OptimizerSpec AdamW = new("adamw", 0.9, 0.95, 1e-8, 0.1, 0.5, Origin.None);

    private static readonly PrecisionSpec Recomputing = BuiltInPrecision.Bf16 with
    {
        Cache = new CacheSpec(default, default, default, ["norm", "mla_up", "swiglu"], Origin.None),
    };

    [Theory]
    [InlineData(1, 1, 2, 2)]
    [InlineData(1, 2, 1, 1)]
    [InlineData(1, 2, 2, 1)]
    [InlineData(1, 2, 4, 2)]
    [InlineData(1, 1, 8, 8)]
    [InlineData(2, 1, 1, 1)]
    [InlineData(4, 2, 2, 2)]
    [InlineData(7, 1, 1, 1)]
    [InlineData(3, 1, 1, 1, 1, 2, 4)]
    [InlineData(3, 1, 2, 2, 5, 1, 1)]
    public void Losses_and_gradients_are_those_of_one_rank(int stages, int tensor, int expert, int data, params int[] parts)
    {
        var (example, sequences) = Setting(data);
        var layout = new ParallelLayout(stages, 0, tensor, expert, data) with { Parts = [.. parts] };
        var cluster = new Cluster(Example.Tiny, Recomputing, layout, example.Weights, sequences);
        var (loss, expected) = OnOneRank(example, sequences);
        Assert.Equal(loss, cluster.Run(), 1e-12);
        foreach (var (key, gradient) in expected)
            foreach (var (ours, known) in cluster.Gradient(key).Data.Zip(gradient.Data))
                Assert.True(Math.Abs(ours - known) < 1e-12, $"{key}: {ours} is not {known}");
    }

    [Theory]
    [InlineData(1, 2, 2, 2, true)]
    [InlineData(1, 2, 4, 2, false)]
    [InlineData(4, 1, 2, 4, true)]
    [InlineData(4, 2, 2, 1, false)]
    [InlineData(2, 1, 1, 3, true)]
    [InlineData(2, 1, 2, 2, true, true)]
    [InlineData(4, 2, 2, 1, true, true)]
    public void Weights_move_as_on_one_rank(int stages, int tensor, int expert, int data, bool zero1, bool folded = false)
    {
        var (example, sequences) = Setting(data);
        var layout = new ParallelLayout(stages, 0, tensor, expert, data) with
        {
            ShardsState = zero1, IsFolded = folded, StagesPerRank = folded ? 2 : 1,
        };
        var cluster = new Cluster(Example.Tiny, Recomputing, layout, example.Weights, sequences);
        cluster.Run();
        var norms = cluster.Optimize(AdamW, rate: 0.01, biasRate: 0.002);

        var run = new TrainingRun(Example.Tiny, example.Weights, AdamW);
        var (_, norm) = run.Step(sequences, mtp: 0.3, rate: 0.01, biasRate: 0.002);
        Assert.All(norms, ours => Assert.Equal(norm, ours, 1e-12));
        cluster.CheckWeights(run.Weights, 1e-10);

        // Means that start at 0 are a quarter of the weights, a part of them on every rank under ZeRO-1, the last one padded.
        var norm2 = run.Weights["layers.1.shared.down"].Data.Sum(value => value * value);
        var averages = cluster.Averages.Where(entry => entry.Key == "layers.1.shared.down").ToList();
        Assert.Equal(tensor * data, averages.Count);
        Assert.Equal((zero1 ? 1 : averages.Count) * norm2 / 16, averages.Sum(entry => entry.Part.Data.Sum(value => value * value)), 1e-9);
    }

    /// <summary>V3 as it was trained: 16 stages, experts over 64 ranks, 128 pipelines, each of which holds a stage twice.</summary>
    [Fact]
    public void V3_falls_into_stages_of_four()
    {
        var (layout, wide) = (V3Layout, new ScaledFormat(NumberFormat.Bf16, ScaleRounding.Exact));
        var precision = BuiltInPrecision.Fp8 with
        {
            Wire = new WireSpec(new ScaledFormat(NumberFormat.E4M3, ScaleRounding.PowerOfTwo), wide, Origin.None),
        };
        var stages = Enumerable.Range(0, 16)
            .Select(stage => TrainingGraph.OfStage(Models.V3, precision, 4096, layout with { Stage = stage })).ToList();
        Assert.Equal(
            ["0..2", "3..6", "7..10", "11..14", "15..18", "19..22", "23..26", "27..30", "31..34", "35..38", "39..42", "43..46", "47..50", "51..54", "55..58", "59..61"],
            stages.Select(stage => $"{stage.Graph.Ops.Min(op => op.Layer)}..{stage.Graph.Ops.Max(op => op.Layer)}"));

        // 704.6 M in experts and 932.0 M beside them, as published for a stage of four MoE layers.
        var weights = stages[5].Graph.Weights.Select(entry => entry.Weight).ToList();
        Assert.Equal(704_643_072, weights.Where(weight => weight.IsStacked).Sum(weight => weight.Parameters));
        Assert.Equal(0.932, weights.Where(weight => !weight.IsStacked).Sum(weight => weight.Parameters) / 1e9, 5e-4);

        // Per layer and direction, rows and their weights to the experts and rows back.
        Assert.Equal(4 * 3, stages[5].Ops(Work.Forward).Count(op => op is AllToAllOp));
        Assert.Equal(4 * 3, stages[5].Ops(Work.InputGradient).Count(op => op is AllToAllOp));

        // What a token sends: eight rows in FP8 there and in BF16 back, in both passes, and a weight each; the stream and its gradient.
        const double others = 63 / 64.0;
        var sent = stages[5].Cost(Work.Forward, 4096).WireBytes + stages[5].Cost(Work.InputGradient, 4096).WireBytes;
        Assert.Equal(4096 * (4 * 2 * others * 8 * (7168 * (1 + 4.0 / 128 + 2) + 4) + 2 * 7168 * 2), sent, 1.0);
        Assert.Equal([true, false], stages[5].Graph.Ops.OfType<SendOp>().Select(op => op.To == 6));
    }

    /// <summary>What came from other ranks is kept as what it is there: rows of experts in FP8, their weights and all scores in FP32.</summary>
    [Fact]
    public void Values_keep_their_format_across_ranks()
    {
        var e4m3 = new ScaledFormat(NumberFormat.E4M3, ScaleRounding.Exact);
        var precision = BuiltInPrecision.Fp8 with { Cache = new CacheSpec(e4m3, e4m3, e4m3, ["norm", "mla_up", "swiglu"], Origin.None) };
        var stage = TrainingGraph.OfStage(Models.V3, precision, 4096, new ParallelLayout(16, 5, 4, 32, 32));
        NumberFormat? Format(Func<Op, bool> maker) => stage.Saved
            .Where(value => stage.Graph.Ops.Any(op => maker(op) && op.Results.Contains(value.Value))).Select(value => value.Format).Distinct().Single();
        Assert.Equal(NumberFormat.E4M3, Format(op => op is AllToAllOp { Wire: null, X.Type.Width: 7168, Back: false }));
        Assert.Equal(NumberFormat.Fp32, Format(op => op is AllToAllOp { X.Type.Width: 1 }));
        Assert.Equal(NumberFormat.Fp32, Format(op => op is AllGatherOp { X.Type.Width: 256 }));
        Assert.Equal(NumberFormat.Bf16, Format(op => op is RecvOp));
    }

    [Fact]
    public void Both_ends_of_a_folded_pipeline_move_a_shared_weight_once()
    {
        var layout = V3Layout;
        ModelGraph Optimizer(int stage) => TrainingGraph.OfStage(Models.V3, BuiltInPrecision.Bf16, 4096, layout with { Stage = stage })
            .Optimizer(AdamW, layout with { Stage = stage });
        bool Moves(ModelGraph graph, string key) => graph.Ops.OfType<AdamWOp>().Any(op => ((StateValue)op.Master).Weight.Key == key);
        var (first, last) = (Optimizer(0), Optimizer(15));
        Assert.True(Moves(first, "embed"));
        Assert.False(Moves(last, "embed"));
        Assert.True(Moves(last, "head"));

        // 2048 ranks hold two stages each.
        Assert.Equal(2048, first.Ops.OfType<AllReduceOp>().Single(op => op.Group.Axis == CommAxis.World).Group.Size);

        // ZeRO-1: 256 ranks share what all of them hold, 4 a stack of experts.
        var embed = first.Ops.OfType<AdamWOp>().Single(op => ((StateValue)op.Master).Weight.Key == "embed");
        Assert.Equal(129280L * 7168 / 256, embed.Master.Type.Elements.Constant);
        var experts = last.Ops.OfType<AdamWOp>().Single(op => ((StateValue)op.Master).Weight.Key == "layers.60.experts.gate_up");
        Assert.Equal(4L * 4096 * 7168 / 4, experts.Master.Type.Elements.Constant);
    }

    [Fact]
    public void Halves_that_stay_together_share_what_they_make_again()
    {
        int Copies(bool splits) => TrainingGraph.OfStage(
            Example.Tiny, Recomputing, 64, new ParallelLayout(1, 0, 1, 1, 2) with { SplitsBackward = splits }).Graph.Ops.Count(op => op.IsRecomputed);
        Assert.Equal(Copies(true) - 16, Copies(false));
    }

    /// <summary>The published run, as its file says it.</summary>
    [Theory]
    [InlineData("dualpipe", 128, 2, 2, 2048)]
    [InlineData("1f1b", 128, 1, 1, 2048)]
    [InlineData("dualpipev", 256, 2, 1, 2048)]
    public void A_run_is_laid_out_as_its_schedule_holds_stages(string kind, int data, int perRank, int copies, int world)
    {
        var path = Repository.PathTo("samples", "deepseek-v3", "deepseek-v3.dsm");
        var run = FrontEnd.Bind(SourceText.From(path, File.ReadAllText(path))).Trains.First();
        var layout = ParallelLayout.Of(run with { Schedule = run.Schedule with { Kind = kind } });
        Assert.Equal((16, 1, 64, data), (layout.Stages, layout.Tensor, layout.Expert, layout.Data));
        Assert.Equal((perRank, copies, world), (layout.StagesPerRank, layout.Copies, layout.World.Size));
        Assert.Equal((true, kind != "1f1b"), (layout.ShardsState, layout.SplitsBackward));
        Assert.Contains(
            "shares weights", Assert.Throws<PassException>(() => ParallelLayout.Of(run with { Parallel = run.Parallel with { Data = DataSharding.Zero3 } })).Message);
    }

    [Fact]
    public void What_does_not_divide_is_refused()
    {
        PassException Refused(ParallelLayout layout) =>
            Assert.Throws<PassException>(() => TrainingGraph.OfStage(Example.Tiny, BuiltInPrecision.Bf16, 64, layout));
        Assert.Contains("2 heads cannot be divided among 3 ranks", Refused(new ParallelLayout(1, 0, 3, 1, 1)).Message);
        Assert.Contains("8 experts cannot be divided among 3 ranks", Refused(new ParallelLayout(1, 0, 1, 3, 3)).Message);
        Assert.Contains("7 parts cannot be cut into 8 stages", Refused(new ParallelLayout(8, 0, 1, 1, 1)).Message);
        Assert.Contains("Stages of 3, 5 parts are no cut of 7", Refused(new ParallelLayout(2, 0, 1, 1, 1) with { Parts = [3, 5] }).Message);
    }

    private static ParallelLayout V3Layout => new ParallelLayout(16, 0, 1, 64, 128) with { IsFolded = true, StagesPerRank = 2, Copies = 2 };

    private static (Example Example, List<double[]> Sequences) Setting(int data)
    {
        var random = new Random(3);
        return (
            Example.Random(Example.Tiny, DifferentiateTests.Differentiated(Example.Tiny)),
            [.. Enumerable.Range(0, data).Select(_ => Enumerable.Range(0, 8).Select(_ => (double)random.Next(Example.Tiny.Vocabulary)).ToArray())]);
    }

    private static (double Loss, Dictionary<string, Tensor> Gradients) OnOneRank(Example example, List<double[]> sequences)
    {
        var (loss, sum) = (0.0, new Dictionary<string, Tensor>());
        foreach (var ids in sequences)
        {
            var step = example with { Inputs = Example.Step(ids, [.. ids[1..], -1], sequences.Count * 7, 0.3, sequences.Count) };
            loss += step.Loss();
            foreach (var (key, gradient) in step.Gradients()) sum[key] = sum.TryGetValue(key, out var before) ? before + gradient : gradient;
        }

        return (loss, sum);
    }
}
