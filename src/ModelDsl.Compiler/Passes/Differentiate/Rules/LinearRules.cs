using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Passes.Differentiate.Rules;

/// <summary>A product has two gradients, each a product of the same size: the two halves of the backward pass.</summary>
internal static class LinearRules
{
    public static void Apply(LinearOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is not { } gradient) return;
        tape.Give(op.X, result => new LinearGradOp(gradient, op.Weight, op.Part, result));
        tape.GiveWeight(op.Weight, result => new LinearWeightGradOp(op.X, gradient, op.Part, result));
    }

    public static void Apply(GroupedLinearOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is not { } gradient) return;
        tape.Give(op.X, result => new GroupedLinearGradOp(gradient, op.Weight, op.Offsets, op.TileExpert, op.TileRow, op.Active, result));
        tape.GiveWeight(op.Weight, result => new GroupedLinearWeightGradOp(op.X, gradient, op.Offsets, result));
    }
}
