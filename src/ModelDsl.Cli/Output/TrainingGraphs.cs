using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Lowering;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Training;

namespace ModelDsl.Cli.Output;

/// <summary>The graphs of a training step, for people to read: nothing plays them yet.</summary>
internal static class TrainingGraphs
{
    private static readonly OptimizerSpec Usual = new("adamw", 0.9, 0.95, 1e-8, 0.1, 1.0, Origin.None);

    /// <summary>The step of one sequence and that of the optimizer.</summary>
    /// <param name="train">Says how long a sequence is and how weights move, if it trains this model; else the model's context and AdamW.</param>
    public static IEnumerable<ModelGraph> Of(ModelSpec model, PrecisionSpec precision, TrainSpec? train, Action<string, ModelGraph> printAfter)
    {
        if (train?.Model != model) train = null;
        var step = TrainingGraph.Of(model, precision, train?.Data.Sequence ?? model.Context, printAfter: printAfter);
        yield return step.Graph;
        var optimizer = OptimizerLowering.Lower(step.Graph, train?.Optimizer ?? Usual, precision.State).Verified("lower");
        printAfter("lower", optimizer);
        yield return optimizer;
    }
}
