using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Passes.Shard;

/// <summary>Divides a sequence's rows among ranks, and within attention its heads.</summary>
public sealed class ShardTensorPass
{
    public static Pass Declaration { get; } = new(
        "shard-tensor",
        "Divides the rows of a sequence, and the heads of attention, among ranks",
        "Tensor parallelism with sequence parallelism: from here on T counts the rows of one rank. Attention needs all rows, but only a "
        + "rank's own heads: latents and the rotated key are gathered, and the output projection's partial sums are added up and divided "
        + "into rows again. Everything else works on the rank's rows with whole weights. Balance losses see the scores of all rows.",
        [],
        (graph, context) => context.Layout is { Tensor: > 1 } layout ? new ShardTensorPass(graph, layout).Run() : graph);

    private readonly ModelGraph _graph;
    private readonly CommGroup _group;
    private readonly GraphBuilder _builder;
    private readonly Dictionary<int, Value> _values = [];
    private readonly Dictionary<int, Value> _gathered = [];
    private readonly Dictionary<int, Value> _shifted = [];

    private ShardTensorPass(ModelGraph graph, ParallelLayout layout)
    {
        _graph = graph;
        _group = layout.TensorGroup;
        _builder = new GraphBuilder(graph.Phase, graph.NextId);
    }

    private ModelGraph Run()
    {
        foreach (var op in _graph.Ops)
        {
            _builder.Layer = op.Layer;
            _builder.Origin = op.Origin;
            Visit(op);
        }

        foreach (var output in _graph.Outputs) _builder.Output(output.Output, Read(output.Value));
        return _builder.Build();
    }

    private void Visit(Op op)
    {
        switch (op)
        {
            case LinearOp { Weight: WeightValue { Weight: var weight } } up when ParallelLayout.IsByRows(weight):
                var rows = Rows(weight);
                var x = Gathered(up.X);
                Add(up with { X = x, Weight = new WeightValue(rows), Result = Made(up.Result, x.Type.Rows, rows.Rows) });
                break;
            case LinearOp { Weight: WeightValue { Weight: var weight } } down when ParallelLayout.IsByColumns(weight):
                var partial = _builder.New(new TensorType(DType.F32, Dim.Tokens * _group.Size, weight.Rows));
                Add(down with { X = Read(down.X), Weight = new WeightValue(Columns(weight)), Result = partial });
                Add(new ReduceScatterOp(partial, _group, down.Result));
                break;
            case RopeQueryOp rope:
                var query = Read(rope.Query);
                var positions = new InputValue(StepInput.GroupPositions, new TensorType(DType.I32, query.Type.Rows));
                Add(rope with { Query = query, Positions = positions, Heads = Heads(rope.Heads), Result = Made(rope.Result, query) });
                break;
            case MlaPrefillOp attention:
                var mla = attention.Mla with { Heads = Heads(attention.Mla.Heads) };
                var all = Read(attention.Query).Type.Rows;
                Add(attention with
                {
                    Query = Read(attention.Query), Kv = Read(attention.Kv), Key = Gathered(attention.Key), Mla = mla,
                    Result = Made(attention.Result, all, mla.Heads * mla.VDim),
                    Lse = attention.Lse is null ? null : Made(attention.Lse, all, mla.Heads),
                });
                break;
            case BalanceLossOp balance:
                Add(balance with
                {
                    Scores = Gathered(balance.Scores), Indices = balance.Indices is null ? null : Gathered(balance.Indices), Ranks = _group.Size,
                });
                break;
            case ShiftRowsOp shift:
                Shift(shift);
                break;
            default:
                _builder.Keep(op.Map(Read));
                break;
        }
    }

    /// <summary>The row after a rank's last one is the next rank's: labels are shifted as a whole.</summary>
    private void Shift(ShiftRowsOp shift)
    {
        var type = new TensorType(DType.I32, Dim.Tokens * _group.Size);
        var whole = shift.X is Temporary before ? _shifted[before.Id] : new InputValue(StepInput.GroupLabels, type);
        var shifted = _builder.New(type);
        Add(new ShiftRowsOp(whole, shifted));
        Add(new OwnRowsOp(shifted, _group, shift.Result));
        _shifted.Add(((Temporary)shift.Result).Id, shifted);
    }

    private void Add(Op op) => _builder.Add(op);

    private Value Read(Value value) => value is Temporary temporary && _values.TryGetValue(temporary.Id, out var other) ? other : value;

    private Value Gathered(Value value)
    {
        var id = ((Temporary)value).Id;
        if (_gathered.TryGetValue(id, out var known)) return known;
        var result = _builder.New(new TensorType(value.Type.Type, Dim.Tokens * _group.Size, value.Type.Width));
        Add(new AllGatherOp(value, _group, result));
        _gathered.Add(id, result);
        return result;
    }

    private Value Made(Value before, Value like) => Made(before, like.Type.Rows, like.Type.Width);

    private Temporary Made(Value before, Dim rows, int width)
    {
        var result = new Temporary(((Temporary)before).Id, new TensorType(before.Type.Type, rows, width));
        _values.Add(result.Id, result);
        return result;
    }

    private int Heads(int heads) => heads % _group.Size == 0
        ? heads / _group.Size
        : throw new PassException($"{heads} heads cannot be divided among {_group.Size} ranks.", "parallel.tensor divides the heads of attention.");

    private WeightTensor Rows(WeightTensor weight)
    {
        var rows = weight.Rows / _group.Size;
        return weight with { Rows = rows, Parts = weight.Parts.Select(part => part with { Shape = [rows, weight.Columns] }).ToEquatable() };
    }

    private WeightTensor Columns(WeightTensor weight)
    {
        var columns = weight.Columns / _group.Size;
        return weight with { Columns = columns, Parts = weight.Parts.Select(part => part with { Shape = [weight.Rows, columns] }).ToEquatable() };
    }
}
