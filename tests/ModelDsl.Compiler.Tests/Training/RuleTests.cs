using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Passes.Differentiate;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Training.Evaluation;

namespace ModelDsl.Compiler.Tests.Training;

/// <summary>Each rule by itself: rows of a table, the op in question, and a random projection to a loss.</summary>
public class RuleTests
{
    private const int Vocabulary = 11;

    private static readonly TensorType Numbers = new(DType.F32);
    private static readonly TensorType Ids = new(DType.I32, Dim.Tokens);
    private static readonly Value Positions = new InputValue(StepInput.Positions, Ids);
    private static readonly Value Labels = new InputValue(StepInput.Labels, Ids);

    [Fact]
    public void Linear() => Check(8, (graph, x) => Product(graph, x, "w", 5));

    [Fact]
    public void Embedding_with_a_token_twice_and_one_missing() => Check(
        6, (_, x) => x, example => example.Inputs[StepInput.Ids] = new Tensor([7], [3, 5, 3, -1, 0, 10, 5]));

    [Fact]
    public void RmsNorm() => Check(8, (graph, x) => Made(graph, Rows(8), y => new RmsNormOp(x, Vector("norm", 8), 1e-2, y)));

    [Fact]
    public void SwiGlu() => Check(10, (graph, x) => Made(graph, Rows(4), y => new SwiGluOp(x, 5, y)));

    [Fact]
    public void A_value_that_is_read_twice() => Check(6, (graph, x) =>
    {
        var y = Product(graph, x, "w", 6);
        return Made(graph, Rows(6), z => new AddOp(Made(graph, Rows(6), sum => new AddOp(x, y, sum)), y, z));
    });

    [Fact]
    public void Columns_apart_and_together() => Check(9, (graph, x) =>
    {
        var (left, right) = (graph.New(Rows(4)), graph.New(Rows(5)));
        graph.Add(new SplitColumnsOp(x, left, right));
        var scaled = Product(graph, left, "w", 3);
        return Made(graph, Rows(8), y => new ConcatColumnsOp(right, scaled, y));
    });

    [Fact]
    public void Rotation_of_queries_and_keys() => Check(12, (graph, x) =>
    {
        var query = Made(graph, Rows(12), y => new RopeQueryOp(x, Table(PlanTable.Cos), Table(PlanTable.Sin), Positions, 3, 2, 2, y));
        var key = Made(graph, Rows(2), y =>
            new RopeKeyOp(Product(graph, query, "w", 2), Table(PlanTable.Cos), Table(PlanTable.Sin), Positions, y));
        return Made(graph, Rows(14), y => new ConcatColumnsOp(query, key, y));
    });

    [Fact]
    public void Attention() => Check(5, (graph, x) =>
    {
        var mla = Example.Tiny.Attention;
        var (query, kv, key) = (Product(graph, x, "q", 2 * mla.QkDim), Product(graph, x, "kv", 2 * (mla.NopeDim + mla.VDim)), Product(graph, x, "k", 2));
        var lse = graph.New(Rows(2));
        return Made(graph, Rows(2 * mla.VDim), y => new MlaPrefillOp(query, kv, key, mla, 0.7, y, lse));
    });

    [Theory]
    [InlineData(ScoreFunction.Sigmoid)]
    [InlineData(ScoreFunction.Softmax)]
    public void Scores(ScoreFunction function) =>
        Check(6, (graph, x) => Made(graph, Rows(6), y => new ScoreOp(x, function, y)));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Weights_of_chosen_experts(bool normalize) => Check(8, (graph, x) => Chosen(graph, x, normalize).Gates);

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 2)]
    public void Balance_loss(bool onChosen, int tail) => Check(8, (graph, x) =>
    {
        var (scores, indices, gates) = Chosen(graph, x, normalize: true);
        var loss = graph.New(Numbers);
        graph.Add(new BalanceLossOp(scores, onChosen ? indices : null, new InputValue(StepInput.SequenceWeight, Numbers), Moe(true), tail, loss));
        return gates;
    });

    [Fact]
    public void Rows_to_experts_and_back() => Check(8, (graph, x) =>
    {
        var (_, indices, gates) = Chosen(graph, x, normalize: true);
        var rows = Dim.Tokens * 3;
        Temporary Integers(params Dim[] shape) => graph.New(new TensorType(DType.I32, shape));
        var dispatch = new DispatchOp(indices, 8, Integers(9), Integers(Dim.Tokens, 3), Integers(rows), Integers(rows), Integers(rows));
        graph.Add(dispatch);
        var sorted = Made(graph, new TensorType(DType.F32, rows, 8), y => new PermuteOp(x, dispatch.Source, y));
        var product = Made(graph, new TensorType(DType.F32, rows, 4), y => new GroupedLinearOp(
            sorted, Stack("experts", 8, 4, 8), dispatch.Offsets, dispatch.TileExpert, dispatch.TileRow, 3, y));
        var factors = Made(graph, new TensorType(DType.F32, rows, 1), y => new SortGatesOp(gates, dispatch.RowOf, y));
        var weighed = Made(graph, product.Type, y => new ScaleRowsOp(product, factors, y));
        return Made(graph, Rows(4), y => new UnpermuteOp(weighed, dispatch.RowOf, y));
    });

    [Fact]
    public void CrossEntropy_with_a_factor() => Check(5, (graph, x) => x, factor: 0.25);

    /// <param name="width">Of the rows that the op gets.</param>
    private static void Check(int width, Func<GraphBuilder, Value, Value> op, Action<Example>? prepare = null, double factor = 1)
    {
        var graph = new GraphBuilder(Phase.Train);
        var x = Made(graph, Rows(width), y => new EmbeddingOp(new InputValue(StepInput.Ids, Ids), Matrix("table", Vocabulary, width), y));
        var result = op(graph, x);
        var logits = Product(graph, result, "projection", Vocabulary);
        var (loss, lse) = (graph.New(Numbers), graph.New(new TensorType(DType.F32, Dim.Tokens)));
        graph.Add(new CrossEntropyOp(logits, Labels, new InputValue(StepInput.TokenWeight, Numbers), factor, loss, lse));
        var balance = graph.Build().Ops.OfType<BalanceLossOp>().SingleOrDefault();
        graph.Output(StepOutput.Loss, balance is null ? loss : Made(graph, Numbers, y => new SumOp([loss, balance.Loss], y)));
        var forward = graph.Build().Verified("build");

        var model = Example.Tiny with { Vocabulary = Vocabulary };
        var example = Example.Random(model, DifferentiatePass.Run(forward).Verified("differentiate"));
        prepare?.Invoke(example);
        example.CheckGradients(elements: 12);
    }

    private static (Value Scores, Value Indices, Value Gates) Chosen(GraphBuilder graph, Value x, bool normalize)
    {
        var scores = Made(graph, Rows(8), y => new ScoreOp(x, ScoreFunction.Sigmoid, y));
        var (indices, gates) = (graph.New(new TensorType(DType.I32, Dim.Tokens, 3)), graph.New(Rows(3)));
        graph.Add(new SelectExpertsOp(scores, null, Moe(normalize), indices, gates));
        return (scores, indices, gates);
    }

    private static MoeSpec Moe(bool normalize) => new(
        8, 0, 3, 4, new GateSpec(ScoreFunction.Sigmoid, 1.5, normalize, Origin.None), new GroupSpec(2, 4, GroupScore.Max, Origin.None),
        new BalanceSpec(null, 0.4, Origin.None), Origin.None);

    private static Value Made(GraphBuilder graph, TensorType type, Func<Value, Op> op)
    {
        var result = graph.New(type);
        graph.Add(op(result));
        return result;
    }

    private static Value Product(GraphBuilder graph, Value x, string key, int width) =>
        Made(graph, Rows(width), y => new LinearOp(x, Matrix(key, width, x.Type.Width), null, y));

    private static TensorType Rows(int width) => new(DType.F32, Dim.Tokens, width);

    private static TableValue Table(PlanTable table) => new(table, new TensorType(DType.F32, 64, 1));

    private static WeightValue Matrix(string key, int rows, int columns) =>
        new(new WeightTensor(key, DType.F32, 1, rows, columns, null, [new WeightSource(key, [rows, columns], 0, 0)]));

    private static WeightValue Vector(string key, int length) =>
        new(new WeightTensor(key, DType.F32, 1, 1, length, null, [new WeightSource(key, [length], 0, 0)]));

    private static WeightValue Stack(string key, int matrices, int rows, int columns) => new(new WeightTensor(
        key, DType.F32, matrices, rows, columns, null, [new WeightSource(key, [matrices * rows, columns], 0, 0)], IsStacked: true));
}
