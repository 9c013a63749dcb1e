using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Tests.Binding;

/// <summary>The yardstick binds in full: every figure of the file arrives in its spec, in base units.</summary>
public class DeepSeekV3Tests
{
    private static readonly Compiler.Binding.BoundProgram Program = Tests.Binding.Program.Good(Tests.Binding.Program.DeepSeekV3);

    [Fact]
    public void OnlyJustifiedWarnings() => Assert.Equal(
        [(DiagnosticCode.TilePadding, Severity.Info), (DiagnosticCode.FewMicroBatches, Severity.Warning)],
        Program.Diagnostics.Select(d => (d.Code, d.Severity)));

    [Fact]
    public void Model()
    {
        var model = Program.Model("DeepSeekV3")!;
        var yarn = new YarnSpec(40, 4096, 32, 1, 1, 1, Origin.None);
        var mla = new MlaSpec(128, 1536, 512, 128, 64, 128, new RopeSpec(10000, yarn, Origin.None), Origin.None);
        var moe = new MoeSpec(256, 1, 8, 2048, new GateSpec(ScoreFunction.Sigmoid, 2.5, true, Origin.None),
            new GroupSpec(4, 8, GroupScore.TopTwoSum, Origin.None), new BalanceSpec(0.001, 1e-4, Origin.None), Origin.None);
        IEnumerable<FeedForwardSpec> layers = [.. Enumerable.Repeat(new DenseSpec(18432, Origin.None), 3), .. Enumerable.Repeat(moe, 58)];
        var expected = new ModelSpec("DeepSeekV3", 129280, 7168, 1e-6, 0.006, mla,
            layers.Select(f => new LayerSpec(f, Origin.None)).ToEquatable(), 1, 163840, Origin.None);
        Assert.Equal(expected, model);
    }

    [Fact]
    public void Precision()
    {
        var fp8 = Program.Precision("Fp8")!;
        Assert.Equal(new GemmSpec(NumberFormat.E4M3, new TileShape(1, 128), new TileShape(128, 128), 128, ScaleRounding.Exact, Origin.None),
            fp8.Gemm);
        Assert.Equal(NumberFormat.Fp32, fp8.FormatOf(ModelPart.Router));
        Assert.Equal(NumberFormat.Bf16, fp8.FormatOf(ModelPart.Embedding));
        Assert.Equal(new StateSpec(NumberFormat.Fp32, NumberFormat.Fp32, NumberFormat.Bf16), fp8.State);
        Assert.Equal(new ScaledFormat(NumberFormat.E5M6, ScaleRounding.PowerOfTwo), fp8.Cache!.AttentionOutput);
        Assert.Equal(["norm", "mla_up", "swiglu"], fp8.Cache.Recompute);
        Assert.Equal(new ScaledFormat(NumberFormat.E4M3, ScaleRounding.PowerOfTwo), fp8.Wire!.Dispatch);
        Assert.Equal(new ScaledFormat(NumberFormat.Bf16, ScaleRounding.Exact), fp8.Wire.Combine);
    }

    [Fact]
    public void Cluster()
    {
        var cluster = Program.Clusters.Single();
        Assert.Equal((2048, "sm_90a", 132), (cluster.Gpus, cluster.Gpu.Target, cluster.Gpu.Multiprocessors));
        Assert.Equal(new NodeSpec(8, 160e9, 8, 50e9, Origin.None, Origin.None), cluster.Node);
        Assert.Equal(2.0, cluster.DollarsPerGpuHour!.Value, 1e-12);
        Assert.Equal([new NamedNumber("planes", 8), new NamedNumber("radix", 64)], cluster.Network!.Figures);
    }

    [Fact]
    public void Train()
    {
        var train = Program.Trains.Single(t => t.Name == "Pretrain");
        Assert.Equal(new ParallelSpec(16, 64, 1, DataSharding.Zero1, Origin.None), train.Parallel);
        Assert.Equal(new ScheduleSpec("dualpipe", 20, 1, null, Origin.None), train.Schedule);
        Assert.Equal(new DataSpec(14.8e12, 4096, "documents", 0.1, Origin.None), train.Data);
        Assert.Equal(new BatchSpec(3072, 15360, 469e9, Origin.None), train.Batch);
        Assert.Equal(new OptimizerSpec("adamw", 0.9, 0.95, 1e-8, 0.1, 1, Origin.None), train.Optimizer);
        Assert.Equal(
        [
            new RatePhase(RateKind.Warmup, 2.2e-4, 2000, null, null, Origin.None),
            new RatePhase(RateKind.Hold, null, null, null, 10e12, Origin.None),
            new RatePhase(RateKind.Cosine, 2.2e-5, null, 4.3e12, null, Origin.None),
            new RatePhase(RateKind.Hold, null, null, 333e9, null, Origin.None),
            new RatePhase(RateKind.Hold, 7.3e-6, null, 167e9, null, Origin.None),
        ], train.Rate);
        Assert.Equal([new StepValue(0.3, 0, Origin.None), new StepValue(0.1, 10e12, Origin.None)], train.MtpWeight);
        Assert.Equal([new StepValue(0.001, 0, Origin.None), new StepValue(0, 14.3e12, Origin.None)], train.BalanceRate);
        Assert.Equal(0.999, train.EmaDecay);
        Assert.Empty(train.Extensions);
    }

    [Fact]
    public void Extend()
    {
        var extended = Program.Trains.Single(t => t.Name == "LongContext");
        Assert.Equal([new ExtendStage(32768, 1920, 1000, 7.3e-6, Origin.None), new ExtendStage(131072, 480, 1000, 7.3e-6, Origin.None)],
            extended.Extensions);
        Assert.Equal(14.8e12, extended.Data.Tokens);
    }

    [Fact]
    public void Serve()
    {
        var serve = Program.Serves.Single();
        Assert.Equal(new ServePhase(4, new AttentionLayout(4, true, 8, Origin.None), new ExpertLayout(32, 32, Origin.None), 2, 0,
            Origin.None), serve.Prefill);
        Assert.Equal(new ServePhase(40, new AttentionLayout(4, true, 80, Origin.None), new ExpertLayout(320, 64, Origin.None), 2, 1,
            Origin.None), serve.Decode);
        Assert.Equal(new KvCacheSpec(64, NumberFormat.Bf16, Origin.None), serve.KvCache);
        Assert.Equal(600, serve.RebalanceSeconds);
    }

    /// <summary>Counted by hand from the published dimensions: 671,026,419,200 weights, 11.61 B in the MTP module.</summary>
    [Fact]
    public void Counts()
    {
        var counts = ParameterCounts.Of(Program.Model("DeepSeekV3")!);
        Assert.Equal(671_026_419_200, counts.Total);
        Assert.Equal(58.0 * 256 * 44_040_192, counts.RoutedExperts);
        Assert.Equal(2.0 * 926_679_040, counts.Embedding);
        Assert.Equal(11.61e9, counts.Mtp, 0.005e9);
    }
}
