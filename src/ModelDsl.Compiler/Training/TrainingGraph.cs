using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Passes.Shard;
using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Training;

/// <summary>
/// A training step on one sequence, ready to be counted: what each half computes, what stays in memory in between. For planners.
/// </summary>
/// <param name="Graph">Forward pass, input half and weight half, layer by layer, after <c>differentiate</c> and <c>recompute</c>.</param>
/// <param name="Saved">What the forward pass leaves for the backward pass, in the order in which it is made.</param>
/// <param name="Deferred">
/// What the input half leaves for the weight half, with the layer: what a weight half that runs later keeps alive beside the saved
/// values whose <see cref="SavedValue.Last"/> it is. Gradients of the activation type.
/// </param>
public sealed record TrainingGraph(
    ModelSpec Model, PrecisionSpec Precision, ModelGraph Graph,
    ImmutableArray<SavedValue> Saved, ImmutableArray<(Temporary Value, int? Layer)> Deferred)
{
    /// <param name="sequence">Longest sequence in tokens.</param>
    /// <param name="balanceOnChosen">See <see cref="LoweringOptions.BalanceOnChosen"/>.</param>
    /// <param name="printAfter">Called with each pass that has run (<c>lower</c> first) and its result; null: not called.</param>
    /// <exception cref="InvalidGraphException">A mistake in the compiler, not in the model.</exception>
    public static TrainingGraph Of(
        ModelSpec model, PrecisionSpec precision, int sequence, bool balanceOnChosen = false, Action<string, ModelGraph>? printAfter = null)
    {
        var graph = TrainingLowering.Lower(model, sequence, balanceOnChosen);
        var limits = new PlanLimits(sequence, DecodeSequences: 1, Context: sequence);
        return Of(model, precision, Pipeline.Run(graph, precision, limits, Pipeline.Training, printAfter));
    }

    /// <summary>One stage of a step that is spread over ranks, as one rank sees it: T counts its own rows of a sequence.</summary>
    /// <exception cref="PassException">The model cannot be divided like that.</exception>
    public static TrainingGraph OfStage(
        ModelSpec model, PrecisionSpec precision, int sequence, ParallelLayout layout, bool balanceOnChosen = false,
        Action<string, ModelGraph>? printAfter = null)
    {
        var graph = TrainingLowering.Lower(model, sequence, balanceOnChosen);
        var limits = new PlanLimits(sequence, DecodeSequences: 1, Context: sequence);
        return Of(model, precision, Pipeline.Run(graph, precision, limits, Pipeline.Training, printAfter, layout));
    }

    /// <summary>The graph of the optimizer for what this one leaves, spread as it is.</summary>
    /// <param name="averageDecay">Of the running mean of the weights; null: there is none.</param>
    public ModelGraph Optimizer(
        OptimizerSpec optimizer, ParallelLayout? layout = null, double? averageDecay = null, Action<string, ModelGraph>? printAfter = null)
    {
        if (layout is { Stages: > 1 }) layout = layout with { Shared = SharedWeights(layout) };
        var graph = OptimizerLowering.Lower(Graph, optimizer, Precision.State, averageDecay);
        return Pipeline.Run(graph, Precision, new PlanLimits(1, 1, 1), Pipeline.Optimizer, printAfter, layout);
    }

    private EquatableArray<SharedWeight> SharedWeights(ParallelLayout layout) =>
        StageCut.Of(TrainingLowering.Lower(Model, sequence: 1), layout).Shared().ToEquatable();

    /// <summary>The same of a graph that has its backward pass.</summary>
    public static TrainingGraph Of(ModelSpec model, PrecisionSpec precision, ModelGraph graph)
    {
        var formats = new SavedFormats(precision);
        var makers = new Dictionary<int, Op>();
        var readers = new Dictionary<int, List<Op>>();
        foreach (var op in graph.Ops)
        {
            foreach (var operand in op.Operands)
                if (operand is Temporary read && makers[read.Id].Work != op.Work)
                {
                    if (!readers.TryGetValue(read.Id, out var list)) readers.Add(read.Id, list = []);
                    list.Add(op);
                }

            foreach (var result in op.Results) makers.Add(((Temporary)result).Id, op);
        }

        // What only came from other ranks is what it was there.
        Op Source(Op op) => op switch
        {
            AllGatherOp { X: Temporary part } => Source(makers[part.Id]),
            AllToAllOp { X: Temporary rows } => Source(makers[rows.Id]),
            _ => op,
        };

        var saved = ImmutableArray.CreateBuilder<SavedValue>();
        var deferred = ImmutableArray.CreateBuilder<(Temporary, int?)>();
        foreach (var op in graph.Ops)
            foreach (var result in op.Results.OfType<Temporary>())
            {
                if (!readers.TryGetValue(result.Id, out var list)) continue;
                if (op.Work == Work.Forward)
                {
                    var format = formats.Of(result, Source(op), list);
                    saved.Add(new SavedValue(result, op.Layer, list.Max(reader => reader.Work), format, formats.BytesPerElement(format)));
                }
                else
                {
                    deferred.Add((result, op.Layer));
                }
            }

        return new TrainingGraph(model, precision, graph, saved.ToImmutable(), deferred.ToImmutable());
    }

    /// <summary>Ops of one half, in order; of one layer where one is given: -1 stands for what is before the first and after the last.</summary>
    public IEnumerable<Op> Ops(Work work, int? layer = null) =>
        Graph.Ops.Where(op => op.Work == work && (layer is null || (op.Layer ?? -1) == layer));

    /// <summary>Bytes that the forward pass of a layer (-1: what is in none) leaves for a sequence of this many tokens.</summary>
    public double SavedBytes(int layer, long tokens) => Saved.Where(value => (value.Layer ?? -1) == layer).Sum(value => value.Bytes(tokens));

    /// <summary>The FLOPs and bytes of one half, of all layers or of one (-1: what is in none), for a sequence of this many tokens.</summary>
    public OpCost Cost(Work work, long tokens, int? layer = null)
    {
        var costs = new OpCosts(Precision, tokens);
        return Ops(work, layer).Aggregate(default(OpCost), (sum, op) => sum + costs.Of(op));
    }
}
