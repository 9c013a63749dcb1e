using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops.Collectives;

namespace ModelDsl.Compiler.Passes.Differentiate.Rules;

/// <summary>What is copied forward is added up backward, and the other way round; what travels there comes back.</summary>
internal static class CollectiveRules
{
    public static void Apply(AllGatherOp op, GradientTape tape)
    {
        if (op.X is Temporary { Type.Type: not DType.I32 } && tape.Of(op.Result) is { } gradient)
            tape.Give(op.X, result => new ReduceScatterOp(gradient, op.Group, result));
    }

    public static void Apply(ReduceScatterOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is { } gradient) tape.Give(op.X, result => new AllGatherOp(gradient, op.Group, result));
    }

    public static void Apply(AllToAllOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is { } gradient) tape.Give(op.X, result => op with { X = gradient, Back = !op.Back, Result = result });
    }

    public static void Apply(SendOp op, GradientTape tape)
    {
        if (op.X.Type.Type != DType.I32) tape.Give(op.X, result => new RecvOp(op.Slot, op.To, result, IsGradient: true));
    }

    public static void Apply(RecvOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is { } gradient) tape.Add(new SendOp(gradient, op.Slot, op.From, IsGradient: true));
    }
}
