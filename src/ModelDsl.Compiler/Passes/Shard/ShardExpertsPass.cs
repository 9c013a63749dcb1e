using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Passes.Shard;

/// <summary>Divides the experts of every layer among ranks; rows travel to them and back.</summary>
public sealed class ShardExpertsPass
{
    public static Pass Declaration { get; } = new(
        "shard-experts",
        "Divides experts among ranks, and sends rows to them and back",
        "Expert parallelism: a rank keeps its share of every stack of experts. Rows that are sorted by expert travel to the ranks of "
        + "their experts (dispatch), each with its weight, in the policy's wire format, and the results back (combine). How many there "
        + "are is told first. The backward pass travels the same ways in the opposite directions.",
        [],
        (graph, context) => context.Layout is { Expert: > 1 } layout ? new ShardExpertsPass(graph, layout, context.Precision.Wire).Run() : graph);

    private readonly ModelGraph _graph;
    private readonly CommGroup _group;
    private readonly WireSpec? _wire;
    private readonly GraphBuilder _builder;
    private readonly Dictionary<int, Value> _values = [];

    /// <summary>By the offsets of a layer's own rows: what is known of those that arrive.</summary>
    private readonly Dictionary<int, ExchangeCountsOp> _arrivals = [];

    /// <summary>By the order of a layer's rows, both ways.</summary>
    private readonly Dictionary<int, ExchangeCountsOp> _orders = [];

    private ShardExpertsPass(ModelGraph graph, ParallelLayout layout, WireSpec? wire)
    {
        _graph = graph;
        _group = layout.ExpertGroup;
        _wire = wire;
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

        foreach (var output in _graph.Outputs) _builder.Output(output.Output, output.Value);
        return _builder.Build();
    }

    private void Visit(Op op)
    {
        switch (op)
        {
            case DispatchOp dispatch:
                _builder.Keep(dispatch);
                Exchange(dispatch);
                break;
            case PermuteOp permute:
                _builder.Keep(permute);
                _values[Id(permute.Result)] = Travel(permute.Result, permute.Source, back: false, _wire);
                break;
            case SortGatesOp sort:
                _builder.Keep(sort);
                _values[Id(sort.Result)] = Travel(sort.Result, sort.RowOf, back: false, wire: null);
                break;
            case UnpermuteOp unpermute:
                _builder.Keep(unpermute with { Y = Travel(Read(unpermute.Y), unpermute.RowOf, back: true, _wire) });
                break;
            case GroupedLinearOp grouped:
                var arrivals = _arrivals[Id(grouped.Offsets)];
                _builder.Keep(grouped with
                {
                    X = Read(grouped.X), Weight = new WeightValue(Share(((WeightValue)grouped.Weight).Weight)),
                    Offsets = arrivals.LocalOffsets, TileExpert = arrivals.TileExpert, TileRow = arrivals.TileRow,
                });
                break;
            default:
                _builder.Keep(op.Map(Read));
                break;
        }
    }

    private void Exchange(DispatchOp dispatch)
    {
        if (dispatch.Experts % _group.Size != 0)
            throw new PassException(
                $"{dispatch.Experts} experts cannot be divided among {_group.Size} ranks.", "parallel.expert divides the routed experts.");
        var experts = dispatch.Experts / _group.Size;
        Temporary Integers(params Dim[] shape) => _builder.New(new TensorType(DType.I32, shape));
        var rows = dispatch.Source.Type.Rows;
        var exchange = new ExchangeCountsOp(
            dispatch.Offsets, _group, Integers(_group.Size, experts), Integers(experts + 1), Integers(rows), Integers(rows));
        _builder.Add(exchange);
        _arrivals.Add(Id(dispatch.Offsets), exchange);
        _orders.Add(Id(dispatch.Source), exchange);
        _orders.Add(Id(dispatch.RowOf), exchange);
    }

    private Temporary Travel(Value rows, Value order, bool back, WireSpec? wire)
    {
        var exchange = _orders[Id(order)];
        var result = _builder.New(rows.Type);
        _builder.Add(new AllToAllOp(rows, exchange.Offsets, exchange.Counts, _group, back, wire, result));
        return result;
    }

    private Value Read(Value value) => value is Temporary temporary && _values.TryGetValue(temporary.Id, out var other) ? other : value;

    private static int Id(Value value) => ((Temporary)value).Id;

    /// <summary>The stack of the first rank; every other rank's is as large and holds the experts that follow.</summary>
    private WeightTensor Share(WeightTensor weight) => weight with
    {
        Matrices = weight.Matrices / _group.Size,
        Parts = weight.Parts.Take(weight.Parts.Count / _group.Size).ToEquatable(),
    };
}
