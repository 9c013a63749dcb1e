using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Passes.PlacePrecision;

/// <summary>Gives every value and weight its format, and quantises what FP8 products read.</summary>
public sealed class PlacePrecisionPass
{
    public static Pass Declaration { get; } = new(
        "place-precision",
        "Gives every value and weight its format",
        "Follows the precision policy: F32 throughout under the audit policy, else BF16 between ops, F32 in the router, in logits and in "
        + "the partial sums of attention, E4M3 with 1 x 128 and 128 x 128 scales for the operands of linear layers that the policy does "
        + "not keep. A value is quantised once, however many products read it, and before its rows are permuted.",
        [],
        (graph, context) => new PlacePrecisionPass(graph, context).Run());

    private readonly ModelGraph _graph;
    private readonly FormatTable _formats;
    private readonly GraphBuilder _builder;
    private readonly Dictionary<int, Temporary> _placed = [];
    private readonly Dictionary<int, Temporary> _quantised = [];
    private readonly Dictionary<int, PermuteOp> _permutations = [];
    private readonly Dictionary<int, int> _upOffsets = [];

    private PlacePrecisionPass(ModelGraph graph, PassContext context)
    {
        _graph = graph;
        _formats = new FormatTable(context.Precision);
        _builder = new GraphBuilder(graph.Phase, graph.NextId);
    }

    private ModelGraph Run()
    {
        foreach (var op in _graph.Ops)
        {
            _builder.Layer = op.Layer;
            _builder.Origin = op.Origin;
            Place(op);
        }

        foreach (var output in _graph.Outputs) _builder.Output(output.Output, Read(output.Value));
        foreach (var tap in _graph.Taps) _builder.Tap(tap.Name, Read(tap.Value));
        return DeadOps.Removed(_builder.Build());
    }

    private void Place(Op op)
    {
        switch (op)
        {
            case EmbeddingOp embedding:
                Add(embedding with { Table = Wide(embedding.Table, _formats.Embedding) });
                break;
            case LinearOp linear:
                var weight = PlaceWeight(linear.Weight, linear.Part);
                MakeProduct(linear.Result, [linear.X.Type.Rows, weight.Rows], linear, weight);
                Add(linear with { X = Operand(linear.X, linear.Part), Weight = new WeightValue(weight) });
                break;
            case GroupedLinearOp grouped:
                var stack = PlaceWeight(grouped.Weight, grouped.Part);
                MakeProduct(grouped.Result, [grouped.X.Type.Rows, stack.Rows], grouped, stack);
                Add(grouped with { X = Operand(grouped.X, grouped.Part), Weight = new WeightValue(stack) });
                break;
            case HeadGemmOp absorb:
                Add(absorb with { Weight = Absorbed(absorb.Weight) });
                break;
            case SwiGluOp swiglu:
                Add(swiglu with { UpOffset = _upOffsets[Id(swiglu.X)] });
                break;
            case PermuteOp permute:
                _permutations[Id(permute.Result)] = permute;
                Add(permute);
                break;
            default:
                Add(op);
                break;
        }
    }

    /// <summary>Adds the op on placed values. Weights that its case did not place stay F32: norms and the router's bias.</summary>
    private void Add(Op op)
    {
        foreach (var result in op.Results) Make(op, result, result.Type.Shape);
        _builder.Add(op.Map(Read));
    }

    private void MakeProduct(Value result, EquatableArray<Dim> shape, Op op, WeightTensor weight)
    {
        if (weight.Parts.Count == 2 * weight.Matrices) _upOffsets[Id(result)] = WeightPlacement.SecondRow(weight);
        Make(op, result, shape);
    }

    private void Make(Op op, Value result, EquatableArray<Dim> shape)
    {
        if (_placed.ContainsKey(Id(result))) return;
        var type = result.Type.Type != DType.F32 || FormatTable.StaysF32(op) ? result.Type.Type : _formats.Activation;
        _placed.Add(Id(result), new Temporary(Id(result), new TensorType(type, shape)));
    }

    private Value Read(Value value) => value switch
    {
        Temporary temporary => _placed.TryGetValue(temporary.Id, out var placed) ? placed : temporary,
        CacheValue cache => cache with { Type = cache.Type.As(_formats.Activation) },
        InputValue { Input: StepInput.PreviousHidden } input => input with { Type = input.Type.As(_formats.Activation) },
        _ => value,
    };

    private Value Operand(Value x, ModelPart? part) => _formats.IsFp8(part) ? Quantise(x) : x;

    private Temporary Quantise(Value x)
    {
        if (_quantised.TryGetValue(Id(x), out var known)) return known;
        Temporary result;
        if (_permutations.TryGetValue(Id(x), out var permute))
        {
            var rows = Quantise(permute.X);
            result = _builder.New(x.Type.Quantised());
            _builder.Add(new PermuteOp(rows, permute.Source, result).Map(Read));
        }
        else
        {
            result = _builder.New(x.Type.Quantised());
            _builder.Add(new QuantizeOp(Read(x), _formats.Rounding, result));
        }

        _quantised.Add(Id(x), result);
        return result;
    }

    private WeightTensor PlaceWeight(Value weight, ModelPart? part) => _formats.IsFp8(part)
        ? WeightPlacement.Quantised(((WeightValue)weight).Weight, _formats.WeightScales)
        : WeightPlacement.Wide(((WeightValue)weight).Weight, _formats.Weight(part));

    /// <summary>
    /// Absorption is part of the core of attention and reads its weight wide. Where the projection itself is FP8, that is a second
    /// tensor, under a name of its own.
    /// </summary>
    private WeightValue Absorbed(Value weight)
    {
        var wide = WeightPlacement.Wide(((WeightValue)weight).Weight, _formats.Activation);
        return new WeightValue(_formats.IsFp8(part: null) ? wide with { Key = $"{wide.Key}.{wide.Type.Text()}" } : wide);
    }

    private static WeightValue Wide(Value weight, DType type) => new(WeightPlacement.Wide(((WeightValue)weight).Weight, type));

    private static int Id(Value value) => ((Temporary)value).Id;
}
