using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Passes.Differentiate.Rules;

/// <summary>Gradients reach the router through the chosen weights and through the balance loss; the choice itself has none.</summary>
internal static class RouterRules
{
    public static void Apply(ScoreOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is { } gradient)
            tape.Give(op.Logits, result => new ScoreGradOp(op.Result, gradient, op.Function, result));
    }

    public static void Apply(SelectExpertsOp op, GradientTape tape)
    {
        if (tape.Of(op.Weights) is { } gradient)
            tape.Give(op.Scores, result => new SelectExpertsGradOp(op.Scores, op.Indices, gradient, op.Moe, result));
    }

    public static void Apply(BalanceLossOp op, GradientTape tape)
    {
        if (tape.Of(op.Loss) is { } gradient)
            tape.Give(op.Scores, result => new BalanceLossGradOp(op.Scores, op.Indices, op.Weight, gradient, op.Moe, op.Tail, result, op.Ranks));
    }
}
