using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>
/// What the lowering functions share: the graph being built and the values that are there from the start. Everything is F32
/// here; formats are the business of <c>place-precision</c>.
/// </summary>
internal sealed class LoweringContext(ModelSpec model, Phase phase, LoweringOptions options)
{
    public ModelSpec Model { get; } = model;

    public LoweringOptions Options { get; } = options;

    public GraphBuilder Graph { get; } = new(phase);

    public bool IsDecode => Graph.Phase.IsDecode();

    /// <summary>Whole sequences and their losses; what only inference needs, the cache first of all, is not there.</summary>
    public bool IsTraining => Graph.Phase == Phase.Train;

    /// <summary>Rows at the end that stand for no token: the last k in the k-th MTP module (training).</summary>
    public int Tail { get; set; }

    /// <summary>The balance losses of the layers so far, f32 numbers (training).</summary>
    public List<Value> BalanceLosses { get; } = [];

    public Value Ids { get; } = new InputValue(StepInput.Ids, new TensorType(DType.I32, Dim.Tokens));

    public Value Positions { get; } = new InputValue(StepInput.Positions, new TensorType(DType.I32, Dim.Tokens));

    public Value Slots { get; } = new InputValue(StepInput.Slots, new TensorType(DType.I32, Dim.Tokens));

    public Value Lengths { get; } = new InputValue(StepInput.Lengths, new TensorType(DType.I32, Dim.Tokens));

    public Value Pages { get; } = new InputValue(
        StepInput.Pages,
        phase.IsDecode()
            ? new TensorType(DType.I32, Dim.Tokens, Dim.MaxPages)
            : new TensorType(DType.I32, Dim.CeilDiv(Dim.Context, options.Page)));

    public Value PreviousHidden { get; } = new InputValue(StepInput.PreviousHidden, F32(Dim.Tokens, model.Hidden));

    public Value Labels { get; } = new InputValue(StepInput.Labels, new TensorType(DType.I32, Dim.Tokens));

    public Value Cos { get; } = Table(PlanTable.Cos, model, options);

    public Value Sin { get; } = Table(PlanTable.Sin, model, options);

    /// <summary>A number that the caller of the step supplies.</summary>
    public static Value Number(StepInput input) => new InputValue(input, F32());

    public Value Cache(int layer) => new CacheValue(layer, F32(Model.Attention.CacheWidth));

    public Temporary New(params Dim[] shape) => Graph.New(F32(shape));

    public Value RmsNorm(Value x, WeightTensor weight, double epsilon)
    {
        var result = Graph.New(x.Type);
        Graph.Add(new RmsNormOp(x, new WeightValue(weight), epsilon, result));
        return result;
    }

    public Value Linear(Value x, WeightTensor weight, ModelPart? part)
    {
        var result = New(x.Type.Rows, weight.Rows);
        Graph.Add(new LinearOp(x, new WeightValue(weight), part, result));
        return result;
    }

    public Value Add(Value a, Value b)
    {
        var result = Graph.New(a.Type);
        Graph.Add(new AddOp(a, b, result));
        return result;
    }

    public void Tap(string name, Value value)
    {
        if (Options.Taps) Graph.Tap(name, value);
    }

    private static TensorType F32(params Dim[] shape) => new(DType.F32, shape);

    private static TableValue Table(PlanTable table, ModelSpec model, LoweringOptions options) =>
        new(table, F32(options.Context, model.Attention.RopeDim / 2));
}
