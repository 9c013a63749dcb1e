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

    public static void Apply(SortGatesOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is { } gradient) tape.Give(op.Weights, result => new UnsortGatesOp(gradient, op.RowOf, result));
    }

    public static void Apply(ScaleRowsOp op, GradientTape tape)
    {
        if (tape.Of(op.Result) is not { } gradient) return;
        var (rows, factors) = (tape.Like(op.X), tape.Like(op.Factors));
        tape.Add(new ScaleRowsGradOp(op.X, op.Factors, gradient, rows, factors));
        tape.Give(op.X, rows);
        tape.Give(op.Factors, factors);
    }
}
