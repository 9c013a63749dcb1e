using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Tests.Graph;

/// <summary>A graph that is right but for one thing, and what is said about that.</summary>
public class GraphVerifierTests
{
    private static readonly TensorType Rows = new(DType.BF16, Dim.Tokens, 128);
    private static readonly TensorType Narrow = new(DType.BF16, Dim.Tokens, 64);
    private static readonly WeightTensor NormWeight = Weight("norm", DType.F32, [128]);

    [Fact]
    public void A_right_graph_has_no_violations()
    {
        var graph = new GraphBuilder(Phase.Prefill);
        var (x, y) = (Embed(graph), graph.New(Rows));
        graph.Add(new RmsNormOp(x, new WeightValue(NormWeight), 1e-6, y));
        Assert.Empty(GraphVerifier.Violations(graph.Build()));
    }

    [Fact]
    public void Reading_what_nobody_made() => Expect("%7 is read before it is made", graph =>
        graph.Add(new RmsNormOp(new Temporary(7, Rows), new WeightValue(NormWeight), 1e-6, graph.New(Rows))));

    [Fact]
    public void Making_a_value_twice() => Expect("%0 is made a second time", graph =>
    {
        var x = Embed(graph);
        graph.Add(new RmsNormOp(x, new WeightValue(NormWeight), 1e-6, x));
    });

    [Fact]
    public void Reading_a_value_as_another_type() => Expect("%0 is bf16[T,128] where it is made and f32[T,128] where it is read", graph =>
    {
        var x = Embed(graph);
        var wide = x.Type.As(DType.F32);
        graph.Add(new RmsNormOp(x with { Type = wide }, new WeightValue(NormWeight), 1e-6, graph.New(wide)));
    });

    [Fact]
    public void Shapes_that_do_not_fit() => Expect("weight w\"narrow\" is f32[64], not of shape [128]", graph =>
        graph.Add(new RmsNormOp(Embed(graph), new WeightValue(Weight("narrow", DType.F32, [64])), 1e-6, graph.New(Rows))));

    [Fact]
    public void Rows_that_do_not_fit() => Expect("result %1 is bf16[S,128], not of shape [T,128]", graph =>
        graph.Add(new RmsNormOp(Embed(graph), new WeightValue(NormWeight), 1e-6, graph.New(new TensorType(DType.BF16, Dim.Context, 128)))));

    [Fact]
    public void Norm_weights_in_BF16() => Expect("weight w\"norm\" is bf16, not f32", graph =>
        graph.Add(new RmsNormOp(Embed(graph), new WeightValue(NormWeight with { Type = DType.BF16 }), 1e-6, graph.New(Rows))));

    [Fact]
    public void A_product_of_which_one_side_is_quantised() => Expect("both are quantised or neither is", graph =>
        graph.Add(new LinearOp(Embed(graph), new WeightValue(Quantised(BlockScales.Weight)), null, graph.New(Narrow))));

    [Fact]
    public void Scales_of_another_granularity() => Expect("weight w\"w\" is scaled 64x64, not 128x128", graph =>
    {
        var q = Quantise(graph);
        graph.Add(new LinearOp(q, new WeightValue(Quantised(new BlockScales(64, 64))), null, graph.New(Narrow)));
    });

    [Fact]
    public void FP8_without_scales() => Expect("scales go with e4m3 and with nothing else", graph =>
        graph.Add(new QuantizeOp(Embed(graph), ScaleRounding.Exact, graph.New(Rows.As(DType.E4M3)))));

    [Fact]
    public void Input_gradients_that_wait_for_weight_gradients() =>
        Expect("%1 is of the weight gradients and read by the input gradients", graph =>
        {
            var (x, y) = (Embed(graph), graph.New(Rows));
            graph.Work = Work.WeightGradient;
            graph.Add(new RmsNormOp(x, new WeightValue(NormWeight), 1e-6, y));
            graph.Work = Work.InputGradient;
            graph.Add(new AddOp(x, y, graph.New(Rows)));
        });

    [Fact]
    public void One_key_for_two_weights() => Expect("w\"norm\" is declared in two ways", graph =>
    {
        var (y, z) = (graph.New(Rows), graph.New(Rows));
        graph.Add(new RmsNormOp(Embed(graph), new WeightValue(NormWeight), 1e-6, y));
        graph.Add(new RmsNormOp(y, new WeightValue(NormWeight with { Parts = [new WeightSource("other", [128], 0, 0)] }), 1e-6, z));
    });

    [Fact]
    public void A_tap_on_nothing()
    {
        var graph = new GraphBuilder(Phase.Decode);
        graph.Tap("hidden.0", new Temporary(3, Rows));
        Assert.Contains("tap hidden.0: %3 is read before it is made", Assert.Single(GraphVerifier.Violations(graph.Build())));
    }

    [Fact]
    public void The_failure_names_the_pass_the_layer_and_the_op()
    {
        var graph = new GraphBuilder(Phase.Decode);
        var x = Embed(graph);
        graph.Layer = 5;
        graph.Add(new RmsNormOp(x, new WeightValue(NormWeight), 1e-6, graph.New(Rows.As(DType.F32))));
        var invalid = Assert.Throws<InvalidGraphException>(() => graph.Build().Verified("fuse"));
        Assert.Contains("decode graph is invalid after fuse", invalid.Message);
        Assert.Contains("op 1 of layer 5, `%1 = rms_norm %0, w\"norm\"", invalid.Message);
    }

    private static void Expect(string violation, Action<GraphBuilder> build)
    {
        var graph = new GraphBuilder(Phase.Prefill);
        build(graph);
        Assert.Contains(GraphVerifier.Violations(graph.Build()), text => text.Contains(violation));
    }

    private static Temporary Embed(GraphBuilder graph)
    {
        var x = graph.New(Rows);
        var ids = new InputValue(StepInput.Ids, new TensorType(DType.I32, Dim.Tokens));
        graph.Add(new EmbeddingOp(ids, new WeightValue(Weight("embed", DType.BF16, [256, 128])), x));
        return x;
    }

    private static Temporary Quantise(GraphBuilder graph)
    {
        var x = Embed(graph);
        var q = graph.New(x.Type.Quantised());
        graph.Add(new QuantizeOp(x, ScaleRounding.Exact, q));
        return q;
    }

    private static WeightTensor Quantised(BlockScales scales) => Weight("w", DType.E4M3, [64, 128]) with { Scales = scales };

    private static WeightTensor Weight(string key, DType type, int[] shape) =>
        new(key, type, 1, shape.Length == 1 ? 1 : shape[0], shape[^1], null, [new WeightSource(key, [.. shape], 0, 0)]);
}
