using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;

namespace ModelDsl.Compiler.Tests.Passes;

public class PlacePrecisionTests
{
    /// <summary>The yardstick's own policy (deepseek-v3.dsm).</summary>
    private static readonly PrecisionSpec Yardstick = BuiltInPrecision.Fp8 with
    {
        Keep =
        [
            .. new[] { ModelPart.Embedding, ModelPart.OutputHead, ModelPart.Norm, ModelPart.Attention }
                .Select(part => new KeepSpec(part, NumberFormat.Bf16)),
            new KeepSpec(ModelPart.Router, NumberFormat.Fp32),
        ],
    };

    private static readonly string[] AttentionProjections = ["q_a", "q_b", "kv_a", "kv_b", "o"];

    [Fact]
    public void Of_DeepSeek_V3_exactly_the_linear_layers_are_FP8()
    {
        foreach (var policy in new[] { BuiltInPrecision.Fp8, Yardstick })
        {
            var prefill = Placed(Models.V3, Phase.Prefill, policy);
            var expected = Enumerable.Range(0, 61).SelectMany(layer => (layer < 3
                    ? AttentionProjections.Concat(["mlp.gate_up", "mlp.down"])
                    : AttentionProjections.Concat(["experts.gate_up", "experts.down", "shared.gate_up", "shared.down"]))
                .Select(name => $"layers.{layer}.{name}"));
            Assert.Equal(expected.Order(StringComparer.Ordinal), Keys(prefill, DType.E4M3));

            // Everything else that a prefill reads: norms, router and its bias in F32, embedding and head in BF16.
            Assert.Equal(["embed", "head"], Keys(prefill, DType.BF16));
            Assert.Equal(
                Enumerable.Range(0, 61).SelectMany(layer => new[] { "input_norm", "post_attention_norm", "q_a_norm", "kv_a_norm" }
                        .Concat(layer < 3 ? [] : ["router", "router_bias"]).Select(name => $"layers.{layer}.{name}"))
                    .Append("norm").Order(StringComparer.Ordinal),
                Keys(prefill, DType.F32));

            // Decode absorbs kv_b instead of multiplying by it, in BF16, and is the same otherwise.
            var decode = Placed(Models.V3, Phase.Decode, policy);
            Assert.Equal(Keys(prefill, DType.E4M3).Where(key => !key.EndsWith("kv_b", StringComparison.Ordinal)), Keys(decode, DType.E4M3));
            Assert.Equal(
                Enumerable.Range(0, 61).Select(layer => $"layers.{layer}.kv_b.bf16").Concat(["embed", "head"])
                    .Order(StringComparer.Ordinal),
                Keys(decode, DType.BF16));
        }
    }

    [Fact]
    public void The_audit_policy_is_F32_throughout()
    {
        foreach (var phase in new[] { Phase.Prefill, Phase.Decode })
        {
            var graph = Placed(Models.Micro, phase, BuiltInPrecision.Fp32);
            Assert.All(
                graph.Ops.SelectMany(op => op.Operands.Concat(op.Results)),
                value => Assert.True(value.Type.Type is DType.F32 or DType.I32));
        }
    }

    [Fact]
    public void Without_FP8_nothing_is_quantised_and_only_the_router_and_sums_are_F32()
    {
        var graph = Placed(Models.Micro, Phase.Decode, BuiltInPrecision.Bf16);
        Assert.DoesNotContain(graph.Ops, op => op is QuantizeOp);
        var wide = graph.Ops.Where(op => op.Results.Any(result => result.Type.Type == DType.F32))
            .Select(op => op.Mnemonic).Distinct().Order();
        Assert.Equal(["linear", "mla_decode", "score", "select_experts"], wide);
        Assert.All(
            graph.Ops.OfType<LinearOp>().Where(op => op.Result.Type.Type == DType.F32),
            op => Assert.True(op.Part is ModelPart.Router or ModelPart.OutputHead));
    }

    [Fact]
    public void What_a_policy_keeps_stays_wide()
    {
        var policy = BuiltInPrecision.Fp8 with
        {
            Keep = [new KeepSpec(ModelPart.Experts, NumberFormat.Bf16), new KeepSpec(ModelPart.OutputHead, NumberFormat.Fp32)],
        };
        var graph = Placed(Models.Micro, Phase.Prefill, policy);
        Assert.DoesNotContain(Keys(graph, DType.E4M3), key => key.Contains("experts") || key.Contains("shared"));
        Assert.Contains("layers.0.mlp.down", Keys(graph, DType.E4M3));
        Assert.Contains("layers.1.experts.down", Keys(graph, DType.BF16));
        Assert.Contains("layers.1.router", Keys(graph, DType.BF16));
        Assert.Contains("head", Keys(graph, DType.F32));
        Assert.All(graph.Ops.OfType<PermuteOp>(), op => Assert.Equal(DType.BF16, op.Result.Type.Type));
    }

    [Fact]
    public void Every_value_is_quantised_once_and_before_its_rows_multiply()
    {
        var graph = Placed(Models.V3, Phase.Prefill, BuiltInPrecision.Fp8);
        var quantised = graph.Ops.OfType<QuantizeOp>().Select(op => ((Temporary)op.X).Id).ToList();
        Assert.Equal(quantised.Count, quantised.Distinct().Count());

        // Attention: input, query latent, KV latent, heads. Dense: input, inner rows. MoE: input, inner rows of experts and of shared ones.
        Assert.Equal(3 * 6 + 58 * 7, quantised.Count);
        Assert.All(graph.Ops.OfType<PermuteOp>(), op => Assert.Equal(DType.E4M3, op.Result.Type.Type));
    }

    [Fact]
    public void Gate_and_up_start_at_scale_blocks_of_their_own()
    {
        var weights = Placed(Models.Odd, Phase.Prefill, BuiltInPrecision.Fp8).Weights
            .ToDictionary(entry => entry.Weight.Key, entry => entry.Weight);

        var dense = weights["layers.0.mlp.gate_up"];
        Assert.Equal((256, 132, 2, 2), (dense.Rows, dense.Columns, dense.ScaleRows, dense.ScaleColumns));
        Assert.Equal([(0, 0), (128, 1)], dense.Parts.Select(part => (part.Row, part.ScaleRow)));
        Assert.Equal(2 * 77 * 132, dense.Parameters);

        var experts = weights["layers.1.experts.gate_up"];
        Assert.Equal((5, 256, 132, 10), (experts.Matrices, experts.Rows, experts.Columns, experts.ScaleRows));
        Assert.Equal(
            Enumerable.Range(0, 10).Select(i =>
                ($"model.layers.1.mlp.experts.{i / 2}.{(i % 2 == 0 ? "gate" : "up")}_proj.weight", i * 128, i)),
            experts.Parts.Select(part => (part.Name, part.Row, part.ScaleRow)));

        // One tensor per matrix needs no padding: its last block is what is left.
        var down = weights["layers.1.experts.down"];
        Assert.Equal((132, 10), (down.Rows, down.ScaleRows));
        Assert.Equal([0, 132, 264, 396, 528], down.Parts.Select(part => part.Row));
        Assert.Equal([0, 2, 4, 6, 8], down.Parts.Select(part => part.ScaleRow));

        var unpadded = Placed(Models.Odd, Phase.Prefill, BuiltInPrecision.Bf16).Weights
            .Single(entry => entry.Weight.Key == "layers.0.mlp.gate_up").Weight;
        Assert.Equal((154, 77), (unpadded.Rows, unpadded.Parts[1].Row));
    }

    [Fact]
    public void SwiGLU_reads_up_where_the_weights_put_it()
    {
        int[] UpOffsets(PrecisionSpec policy) =>
            [.. Placed(Models.Odd, Phase.Prefill, policy).Ops.OfType<SwiGluOp>().Take(3).Select(op => op.UpOffset)];
        Assert.Equal([77, 36, 72], UpOffsets(BuiltInPrecision.Bf16));
        Assert.Equal([128, 128, 128], UpOffsets(BuiltInPrecision.Fp8));
    }

    [Fact]
    public void Scales_round_as_the_policy_says()
    {
        var policy = BuiltInPrecision.Fp8 with { Gemm = BuiltInPrecision.Fp8.Gemm with { Scale = ScaleRounding.PowerOfTwo } };
        Assert.All(
            Placed(Models.Micro, Phase.Prefill, policy).Ops.OfType<QuantizeOp>(),
            op => Assert.Equal(ScaleRounding.PowerOfTwo, op.Rounding));
    }

    private static ModelGraph Placed(ModelSpec model, Phase phase, PrecisionSpec policy) =>
        Graphs.After(Graphs.Lowered(model, phase), policy, "place-precision");

    private static IEnumerable<string> Keys(ModelGraph graph, DType type) =>
        graph.Weights.Where(entry => entry.Weight.Type == type).Select(entry => entry.Weight.Key).Order(StringComparer.Ordinal);
}
