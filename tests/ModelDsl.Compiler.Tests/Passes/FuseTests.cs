using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Compiler.Tests.Scheduling;

namespace ModelDsl.Compiler.Tests.Passes;

public class FuseTests
{
    [Fact]
    public void Of_a_step_in_BF16_remain_the_first_norm_and_the_norms_of_queries()
    {
        var counts = Counts(Models.Micro, Phase.Prefill, BuiltInPrecision.Bf16);
        Assert.Equal(1 + 3, counts["rms_norm"]);
        Assert.Equal(2 * 3, counts["residual_norm"]);
        Assert.Equal(3, counts["latent_cache"]);
        Assert.Equal(2, counts["gate"]);
        foreach (var gone in new[] { "add", "rope_key", "cache_write", "slice_columns", "score", "select_experts" })
            Assert.DoesNotContain(gone, counts.Keys);
    }

    [Fact]
    public void In_FP8_only_the_heads_are_quantised_by_themselves()
    {
        var prefill = Counts(Models.Micro, Phase.Prefill, BuiltInPrecision.Fp8);
        Assert.Equal(3, prefill["quantize"]);
        Assert.Equal(3, prefill["gather_quantize"]);
        Assert.Equal(1 + 2 * 2, prefill["swiglu_quantize"]);
        Assert.Equal(1 + 3, prefill["norm_quantize"]);
        Assert.Equal(2 * 3 - 1, prefill["residual_norm_quantize"]);
        Assert.Equal(1, prefill["residual_norm"]);
        Assert.Equal(3, Counts(Models.Micro, Phase.Decode, BuiltInPrecision.Fp8)["quantize"]);
    }

    [Fact]
    public void The_router_gets_rows_that_are_not_quantised()
    {
        var graph = Graphs.After(Graphs.Lowered(Models.Micro, Phase.Prefill), BuiltInPrecision.Fp8, "place-precision", "fuse");
        var norms = graph.Ops.OfType<FusedNormOp>().ToList();
        var routed = graph.Ops.OfType<LinearOp>().Where(op => op.Part == ModelPart.Router).Select(op => op.X).ToList();
        Assert.Equal(routed, norms.Where(norm => norm is { Normalised: not null, Quantised: not null }).Select(norm => norm.Normalised!));
    }

    [Fact]
    public void A_norm_that_a_tap_wants_is_written_beside_its_quantised_copy()
    {
        var graph = Graphs.After(Graphs.Lowered(Models.Micro, Phase.Prefill, taps: true), BuiltInPrecision.Fp8, "place-precision", "fuse");
        var made = graph.Ops.SelectMany(op => op.Results).ToHashSet();
        Assert.All(graph.Taps, tap => Assert.Contains(tap.Value, made));
        Assert.All(graph.Ops.OfType<GateOp>(), gate => Assert.NotNull(gate.Scores));
    }

    [Theory]
    [InlineData("residual_norm", "add")]
    [InlineData("norm_quantize", "rms_norm")]
    [InlineData("swiglu_quantize", "swiglu")]
    [InlineData("latent_cache", "cache_write")]
    [InlineData("gather_quantize", "cache_gather")]
    [InlineData("gate", "score")]
    public void Each_fusion_can_be_left_out(string fusion, string remains)
    {
        var graph = Graphs.After(
            Graphs.Lowered(Models.Micro, Phase.Prefill), BuiltInPrecision.Fp8, ModelCompilerTests.SmallLimits,
            new PassCall("place-precision"), Graphs.With("fuse", "without", fusion));
        Assert.Contains(graph.Ops, op => op.Mnemonic == remains);
        Assert.DoesNotContain(graph.Ops, op => op.Mnemonic == fusion);
    }

    [Fact]
    public void An_unknown_fusion_is_named_with_those_there_are()
    {
        var refused = Assert.Throws<PassException>(() => Graphs.After(
            Graphs.Lowered(Models.Micro, Phase.Prefill), BuiltInPrecision.Bf16, ModelCompilerTests.SmallLimits,
            Graphs.With("fuse", "without", "gates")));
        Assert.Contains("'gates'", refused.Message);
        Assert.Contains("gather_quantize, gate", refused.Remedy);
    }

    private static Dictionary<string, int> Counts(ModelSpec model, Phase phase, PrecisionSpec policy) =>
        Graphs.After(Graphs.Lowered(model, phase), policy, "place-precision", "fuse").Ops
            .GroupBy(op => op.Mnemonic).ToDictionary(group => group.Key, group => group.Count());
}
