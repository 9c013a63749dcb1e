using ModelDsl.Cli.Input;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Passes;
using ModelDsl.Compiler.Passes.Shard;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Training;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Cli.Output;

/// <summary>The graphs of a training step, for people to read: nothing plays them yet.</summary>
internal static class TrainingGraphs
{
    private static readonly OptimizerSpec Usual = new("adamw", 0.9, 0.95, 1e-8, 0.1, 1.0, Origin.None);

    /// <summary>The step of one sequence and that of the optimizer; where the run is spread over ranks, also those of every stage.</summary>
    /// <param name="train">Says how long a sequence is, how weights move and how all is spread, if it trains this model; else the model's
    /// context and AdamW.</param>
    public static List<(string Name, ModelGraph Graph)> Of(
        ModelSpec model, PrecisionSpec precision, TrainSpec? train, Action<string, ModelGraph> printAfter)
    {
        if (train?.Model != model) train = null;
        var (sequence, optimizer) = (train?.Data.Sequence ?? model.Context, train?.Optimizer ?? Usual);
        var step = TrainingGraph.Of(model, precision, sequence, printAfter: printAfter);
        var graphs = new List<(string, ModelGraph)> { ("train", step.Graph), ("optimizer", step.Optimizer(optimizer, null, train?.EmaDecay, printAfter)) };
        try
        {
            if (train is not null && ParallelLayout.Of(train) is { IsSpread: true } even && Cut(train, even) is var layout)
                for (var stage = 0; stage < layout.Stages; stage++)
                {
                    var place = layout with { Stage = stage };
                    var part = TrainingGraph.OfStage(model, precision, sequence, place, printAfter: printAfter);
                    graphs.Add(($"stage-{stage:00}.train", part.Graph));
                    graphs.Add(($"stage-{stage:00}.optimizer", part.Optimizer(optimizer, place, train.EmaDecay, printAfter)));
                }
        }
        catch (PassException exception)
        {
            throw TroubleException.Usage($"{exception.Message} {exception.Remedy}");
        }

        return graphs;
    }

    /// <summary>The stages of the plan; where its schedule cannot be planned, even ones.</summary>
    private static ParallelLayout Cut(TrainSpec train, ParallelLayout even)
    {
        var batches = TrainingPlan.MicroBatches(train);
        if (even.Stages == 1 || ScheduleCatalogue.Problem(train.Schedule.Kind, even.Stages, batches) is not null) return even;
        var stages = TrainingPlan.Of(train).Stages;
        return stages.Length == even.Stages ? even with { Parts = [.. stages.Select(stage => stage.Blocks.Length)] } : even;
    }
}
