using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Passes.Differentiate.Rules;

/// <summary>Ops that only move or add rows.</summary>
internal static class StreamRules
{
    public static void Apply(AddOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is not { } gradient) return;
        tape.Give(op.A, gradient);
        tape.Give(op.B, gradient);
    }

    public static void Apply(SumOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is not { } gradient) return;
        foreach (var term in op.Terms) tape.Give(term, gradient);
    }

    /// <summary>Both parts are always read, so both have a gradient or neither.</summary>
    public static void Apply(SplitColumnsOp op, GradientTape tape)
    {
        if (tape.Of(op.Left) is { } left && tape.Of(op.Right) is { } right)
            tape.Give(op.X, result => new ConcatColumnsOp(left, right, result));
    }

    public static void Apply(ConcatColumnsOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is not { } gradient) return;
        var (a, b) = (tape.Like(op.A), tape.Like(op.B));
        tape.Add(new SplitColumnsOp(gradient, a, b));
        tape.Give(op.A, a);
        tape.Give(op.B, b);
    }

    public static void Apply(EmbeddingOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is { } gradient) tape.GiveWeight(op.Table, result => new EmbeddingGradOp(op.Ids, gradient, result));
    }
}
