using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Passes.Shard;

/// <summary>Leaves one stage of the pipeline, between what it takes from the stage before and what it gives to the one behind.</summary>
public static class CutStagePass
{
    public static Pass Declaration { get; } = new(
        "cut-stage",
        "Leaves one stage of the pipeline",
        "Embedding, layers, head and MTP modules are dealt out over the stages in their order, as the layout says or as evenly as that goes. What a stage reads "
        + "of those before is received at its start, what those behind read is sent at its end, also if it only passes through. Each stage "
        + "adds up the losses that it computes. Gradients travel the other way: differentiate makes them of these.",
        [],
        (graph, context) => context.Layout is { Stages: > 1 } layout ? Run(graph, StageCut.Of(graph, layout), layout.Stage) : graph);

    private static ModelGraph Run(ModelGraph graph, StageCut cut, int stage)
    {
        var builder = new GraphBuilder(graph.Phase) { Origin = graph.Ops[0].Origin };
        if (stage > 0)
            foreach (var (value, slot) in cut.Crossing[stage - 1].Values.Select((value, slot) => (value, slot)))
                builder.Add(new RecvOp(slot, stage - 1, value));

        var sums = new Dictionary<int, Value?>();
        foreach (var op in graph.Ops)
            if (op is SumOp sum)
                sums.Add(((Temporary)sum.Result).Id, Sum(builder, sum, cut, stage));
            else if (cut.Stage(op) == stage)
                builder.Keep(op);

        foreach (var (value, slot) in cut.Crossing[stage].Values.Select((value, slot) => (value, slot)))
            builder.Add(new SendOp(value, slot, stage + 1));
        foreach (var output in graph.Outputs)
        {
            var value = (Temporary)output.Value;
            var here = sums.TryGetValue(value.Id, out var part) ? part : cut.Maker(value) == stage ? value : null;
            if (here is not null) builder.Output(output.Output, here);
        }

        return builder.Build();
    }

    /// <summary>The sum of the terms that are made here; null: there are none.</summary>
    private static Value? Sum(GraphBuilder builder, SumOp sum, StageCut cut, int stage)
    {
        var terms = sum.Terms.Where(term => cut.Maker((Temporary)term) == stage).ToEquatable();
        if (terms.Count < 2) return terms.Count == 0 ? null : terms[0];
        builder.Keep(sum with { Terms = terms });
        return sum.Result;
    }
}
