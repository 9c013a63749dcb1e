using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Passes.Differentiate.Rules;

internal static class SwiGluRule
{
    public static void Apply(SwiGluOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is { } gradient) tape.Give(op.X, result => new SwiGluGradOp(op.X, gradient, op.UpOffset, result));
    }
}
