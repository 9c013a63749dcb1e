using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;

namespace ModelDsl.Compiler.Passes.Differentiate.Rules;

/// <summary>The way of rows to their experts and back: each is the other's gradient.</summary>
internal static class ExpertRowRules
{
    public static void Apply(PermuteOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is { } gradient)
            tape.Give(op.X, result => new UnpermuteOp(gradient, tape.Maker<DispatchOp>(op.Source).RowOf, result));
    }

    public static void Apply(UnpermuteOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is { } gradient)
            tape.Give(op.Y, result => new PermuteOp(gradient, tape.Maker<DispatchOp>(op.RowOf).Source, result));
    }

    public static void Apply(ScaleRowsOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is not { } gradient) return;
        var (rows, weights) = (tape.Like(op.X), tape.Like(op.Weights));
        tape.Add(new ScaleRowsGradOp(op.X, op.Weights, op.RowOf, gradient, rows, weights));
        tape.Give(op.X, rows);
        tape.Give(op.Weights, weights);
    }
}
