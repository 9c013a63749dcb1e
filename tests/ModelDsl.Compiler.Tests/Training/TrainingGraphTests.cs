using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Compiler.Training;
using ModelDsl.Testing;
using static ModelDsl.Testing.Verifier;

namespace ModelDsl.Compiler.Tests.Training;

public class TrainingGraphTests
{
    private const int Sequence = 4096;

    private static readonly PrecisionSpec Fp8 = Published();

    /// <summary>ISCA 2025, tables 2 and 4: what the three passes over layers and head add up to, the MTP module apart.</summary>
    [Fact]
    public void Three_passes_cost_the_published_flops()
    {
        var training = TrainingGraph.Of(Models.V3 with { MtpDepth = 0 }, Fp8, Sequence);
        var passes = new[] { Work.Forward, Work.InputGradient, Work.WeightGradient }.Select(work => training.Cost(work, Sequence)).ToList();
        var sum = passes.Aggregate((a, b) => a + b);
        Assert.Equal(280.51, (sum.LinearFlops + sum.AttentionFlops) / Sequence / 1e9, 0.005);
        Assert.Equal(249.81, (sum.LinearFlops + sum.AttentionFlops / 2) / Sequence / 1e9, 0.005);

        // Each third of the products is one of the three; attention has no weights.
        Assert.All(passes, pass => Assert.Equal(passes[0].LinearFlops, pass.LinearFlops));
        Assert.Equal([1, 2, 0], passes.Select(pass => (int)(pass.AttentionFlops / passes[0].AttentionFlops)));

        // Made again: queries, keys and values from their latents, and the scores of attention.
        Assert.Equal(61 * (2.0 * Sequence * (24576 * 1536 + 32768 * 512) + 2.0 * 128 * 192 * Sequence * Sequence), sum.RepeatedFlops);
    }

    [Fact]
    public void Layers_add_up_to_the_whole()
    {
        var training = TrainingGraph.Of(Models.V3, Fp8, Sequence);
        foreach (var work in new[] { Work.Forward, Work.InputGradient, Work.WeightGradient })
        {
            var whole = training.Cost(work, Sequence);
            var layers = Enumerable.Range(-1, 63).Select(layer => training.Cost(work, Sequence, layer)).Aggregate((a, b) => a + b);
            Assert.Equal(1, layers.LinearFlops / whole.LinearFlops, 1e-12);
            Assert.Equal(1, layers.Bytes / whole.Bytes, 1e-12);
        }

        Assert.Equal(training.Saved.Sum(value => value.Bytes(Sequence)), Enumerable.Range(-1, 63).Sum(layer => training.SavedBytes(layer, Sequence)), 1.0);
    }

    /// <summary>An MoE layer of V3, value by value: V3 report, section 3.3.3 and table of the cache block.</summary>
    [Fact]
    public void What_a_layer_leaves_is_what_the_policy_says()
    {
        var training = TrainingGraph.Of(Models.V3, Fp8, Sequence);
        var kept = training.Saved.Where(value => value.Layer == 10 && value.Value.Type.Type == DType.F32)
            .Select(value => (Width: value.Value.Type.Width, value.Format, value.Last)).ToList();
        Assert.Equal(
            [
                (1536, NumberFormat.Bf16, Work.WeightGradient),  // query latent
                (512, NumberFormat.Bf16, Work.WeightGradient),   // key and value latent
                (64, NumberFormat.Bf16, Work.InputGradient),     // rotated key
                (16384, NumberFormat.E5M6, Work.WeightGradient), // output of attention
                (128, NumberFormat.Fp32, Work.InputGradient),    // its lse
                (7168, NumberFormat.Bf16, Work.WeightGradient),  // stream after attention
                (256, NumberFormat.Fp32, Work.InputGradient),    // scores
                (7168, NumberFormat.E4M3, Work.WeightGradient),  // rows of experts
                (4096, NumberFormat.E4M3, Work.WeightGradient),  // their gate and up
                (1, NumberFormat.Fp32, Work.WeightGradient),     // their weights
                (4096, NumberFormat.E4M3, Work.WeightGradient),  // those of the shared expert
                (7168, NumberFormat.Bf16, Work.WeightGradient),  // stream after the layer
            ],
            kept.Select(value => (value.Width, value.Format!.Value, value.Last)));

        Assert.Equal(4096 * 16384 * (1.5 + 4.0 / 128), training.Saved.Single(value => value.Layer == 10 && value.Format == NumberFormat.E5M6).Bytes(Sequence));
    }

    [Fact]
    public void Recomputing_saves_what_it_is_for()
    {
        double Kept(params string[] recompute) =>
            TrainingGraph.Of(Models.V3, Fp8 with { Cache = Fp8.Cache! with { Recompute = [.. recompute] } }, Sequence).SavedBytes(10, Sequence);

        // Inputs of products as E4M3 with their scales, those that others read too as BF16.
        const double e4m3 = 1 + 4.0 / 128;
        Assert.Equal(Sequence * 2.0 * (24576 + 32768), Kept() - Kept("mla_up"), 1.0);
        Assert.Equal(Sequence * (8 * 2048 * (2 + e4m3) + 2048 * e4m3), Kept() - Kept("swiglu"), 1.0);
        Assert.True(Kept("norm", "mla_up", "swiglu") < 0.46 * Kept());
    }

    /// <summary>What the weight half of a late schedule pins: gradients only, as it makes everything else again by itself.</summary>
    [Fact]
    public void The_weight_half_depends_on_saved_values_and_gradients_alone()
    {
        var training = TrainingGraph.Of(Models.V3, Fp8, Sequence);
        var saved = training.Saved.Select(value => value.Value.Id).ToHashSet();
        var deferred = training.Deferred.Select(entry => entry.Value.Id).ToHashSet();
        var made = new HashSet<int>();
        foreach (var op in training.Ops(Work.WeightGradient))
        {
            Assert.All(op.Operands.OfType<Temporary>(), value => Assert.True(
                saved.Contains(value.Id) || deferred.Contains(value.Id) || made.Contains(value.Id), GraphPrinter.Print(op)));
            foreach (var result in op.Results.Cast<Temporary>()) made.Add(result.Id);
        }

        Assert.All(training.Ops(Work.InputGradient).Where(op => op.IsRecomputed), op => Assert.DoesNotContain(((Temporary)op.Results[0]).Id, deferred));
    }

    [Fact]
    public void Values_of_the_router_and_of_losses_stay_wide()
    {
        var training = TrainingGraph.Of(Models.V3, Fp8, Sequence);
        var makers = training.Ops(Work.Forward).SelectMany(op => op.Results.Select(result => (((Temporary)result).Id, op))).ToDictionary();
        foreach (var value in training.Saved)
            if (makers[value.Value.Id] is ScoreOp or SelectExpertsOp or CrossEntropyOp or LinearOp { Part: ModelPart.OutputHead or ModelPart.Router })
                Assert.Equal(4, value.BytesPerElement);
    }

    [Fact]
    public Task A_small_model_in_full() => Verify(TrainingGraph.Of(Models.Micro, Fp8, 48).Graph.ToText());

    private static PrecisionSpec Published()
    {
        var path = Repository.PathTo("samples", "deepseek-v3", "deepseek-v3.dsm");
        return FrontEnd.Bind(SourceText.From(path, File.ReadAllText(path))).Precision("Fp8")!;
    }
}
