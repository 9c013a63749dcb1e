using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Passes.Shard;

/// <summary>Adds up gradients over the ranks that hold a weight, and divides the optimizer's work among them.</summary>
public sealed class ShardOptimizerPass
{
    public static Pass Declaration { get; } = new(
        "shard-optimizer",
        "Sums gradients over ranks, and divides optimizer state among them",
        "Every rank gets its part of the sum of a weight's gradients, contributes the part's squares to the norm, and, under ZeRO-1, moves "
        + "its part of the weight with its part of the state; then all parts are gathered. Without ZeRO-1 the sums are gathered instead. "
        + "Loads of experts are summed before biases move. A weight of two stages counts once.",
        [],
        (graph, context) => context.Layout is { IsSpread: true } layout ? new ShardOptimizerPass(graph, layout).Run() : graph);

    private readonly ModelGraph _graph;
    private readonly ParallelLayout _layout;
    private readonly GraphBuilder _builder;

    /// <summary>By weight: the rank's part of its gradient.</summary>
    private readonly Dictionary<string, Value> _parts = new(StringComparer.Ordinal);

    private ShardOptimizerPass(ModelGraph graph, ParallelLayout layout)
    {
        _graph = graph;
        _layout = layout;
        _builder = new GraphBuilder(graph.Phase, graph.NextId);
    }

    private ModelGraph Run()
    {
        // Shared weights first, and all stages in the same order: two that meet must not wait for each other.
        var moved = _graph.Ops.OfType<AdamWOp>().Where(op => !IsElsewhere(Weight(op))).ToList();
        foreach (var shared in _layout.Shared)
            if (moved.Find(op => Weight(op).Key == shared.Key) is { } op)
                Meet(op, _layout.Keepers(shared).Count);
        foreach (var op in moved) Reduce(op);
        // By the whole weight that AdamW makes: what it makes here, and what that is gathered to.
        var moves = new Dictionary<int, (Value Part, Value Whole)>();
        foreach (var op in _graph.Ops)
        {
            _builder.Layer = op.Layer;
            _builder.Origin = op.Origin;
            switch (op)
            {
                case SquareSumOp sum:
                    Norm(sum);
                    break;
                case AdamWOp adamw when !IsElsewhere(Weight(adamw)):
                    moves.Add(((Temporary)adamw.MasterAfter).Id, Move(adamw));
                    break;
                case AverageOp average when moves.TryGetValue(((Temporary)average.Weight).Id, out var move):
                    var type = move.Part.Type;
                    _builder.Keep(average with
                    {
                        Before = ((StateValue)average.Before) with { Type = type }, Weight = move.Part,
                        After = new Temporary(((Temporary)average.After).Id, type),
                    });
                    break;
                case StoreWeightOp store when moves.TryGetValue(((Temporary)store.Master).Id, out var move):
                    _builder.Keep(store with { Master = move.Whole });
                    break;
                case AdamWOp or AverageOp or StoreWeightOp:
                    break;
                case UpdateBiasOp bias:
                    var load = _builder.New(bias.Load.Type);
                    _builder.Add(new AllReduceOp(bias.Load, _layout.Replicas, load));
                    _builder.Keep(bias with { Load = load });
                    break;
                default:
                    _builder.Keep(op);
                    break;
            }
        }

        foreach (var output in _graph.Outputs) _builder.Output(output.Output, output.Value);
        return _builder.Build();
    }

    private void Meet(AdamWOp op, int keepers)
    {
        if (keepers == 1) return;
        _builder.Layer = null;
        _builder.Origin = op.Origin;
        var sum = _builder.New(op.Gradient.Type);
        _builder.Add(new AllReduceOp(op.Gradient, new CommGroup(CommAxis.Ends, keepers), sum));
        _parts.Add(Weight(op).Key, sum);
    }

    private void Reduce(AdamWOp op)
    {
        var weight = Weight(op);
        _builder.Layer = op.Layer;
        _builder.Origin = op.Origin;
        var gradient = _parts.TryGetValue(weight.Key, out var sum) ? sum : op.Gradient;
        var holders = _layout.Holders(weight);
        if (holders.Size > 1)
        {
            var part = _builder.New(Part(op.Gradient.Type, holders.Size));
            _builder.Add(new ReduceScatterOp(gradient, holders, part));
            gradient = part;
        }

        _parts[weight.Key] = gradient;
    }

    /// <summary>Each element of each gradient is in one part of one rank of the weight's first stage.</summary>
    private void Norm(SquareSumOp sum)
    {
        var own = sum.Gradients.Select(gradient => ((StateValue)gradient).Weight.Key).Where(_parts.ContainsKey)
            .Where(key => _layout.Shared.All(shared => shared.Key != key || shared.Stages[0] == _layout.Stage));
        var local = _builder.New(sum.Result.Type);
        _builder.Add(new SquareSumOp([.. own.Select(key => _parts[key])], local));
        _builder.Add(new AllReduceOp(local, _layout.World, sum.Result));
    }

    /// <summary>The new weight: the part that is made here, and the whole.</summary>
    private (Value Part, Value Whole) Move(AdamWOp op)
    {
        var part = _parts[Weight(op).Key];
        var holders = _layout.Holders(Weight(op));
        if (holders.Size == 1 || !_layout.ShardsState)
        {
            var gradient = part;
            if (holders.Size > 1)
            {
                gradient = _builder.New(op.Gradient.Type);
                _builder.Add(new AllGatherOp(part, holders, gradient));
            }

            _builder.Keep(op with { Gradient = gradient });
            return (op.MasterAfter, op.MasterAfter);
        }

        Value State(Value value) => ((StateValue)value) with { Type = Part(value.Type, holders.Size) };
        Value After(Value value) => new Temporary(((Temporary)value).Id, Part(value.Type, holders.Size));
        var moved = op with
        {
            Gradient = part, Master = State(op.Master), First = State(op.First), Second = State(op.Second),
            MasterAfter = After(op.MasterAfter), FirstAfter = After(op.FirstAfter), SecondAfter = After(op.SecondAfter),
        };
        _builder.Keep(moved);
        var whole = _builder.New(op.MasterAfter.Type);
        _builder.Add(new AllGatherOp(moved.MasterAfter, holders, whole));
        return (moved.MasterAfter, whole);
    }

    private static TensorType Part(TensorType type, int ranks) => new(type.Type, Dim.CeilDiv(type.Elements, ranks));

    private static WeightTensor Weight(AdamWOp op) => ((StateValue)op.Master).Weight;

    /// <summary>Another stage on the same rank moves it.</summary>
    private bool IsElsewhere(WeightTensor weight) =>
        _layout.Shared.FirstOrDefault(shared => shared.Key == weight.Key) is { } shared && !_layout.Keepers(shared).Contains(_layout.Stage);
}
