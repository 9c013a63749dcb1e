using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Passes.Differentiate.Rules;

internal static class CrossEntropyRule
{
    public static void Apply(CrossEntropyOp op, GradientTape tape)
    {
        if (tape.Of(op.Loss) is { } gradient)
            tape.Give(op.Logits, result => new CrossEntropyGradOp(op.Logits, op.Labels, op.Lse, op.Weight, gradient, op.Factor, result));
    }
}
