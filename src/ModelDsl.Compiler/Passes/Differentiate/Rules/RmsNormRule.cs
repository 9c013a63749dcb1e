using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Passes.Differentiate.Rules;

/// <summary>Both halves read the rows that entered, not those that left: the latter need not be saved for them.</summary>
internal static class RmsNormRule
{
    public static void Apply(RmsNormOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is not { } gradient) return;
        tape.Give(op.X, result => new RmsNormGradOp(op.X, op.Weight, gradient, op.Epsilon, result));
        tape.GiveWeight(op.Weight, result => new RmsNormWeightGradOp(op.X, gradient, op.Epsilon, result));
    }
}
