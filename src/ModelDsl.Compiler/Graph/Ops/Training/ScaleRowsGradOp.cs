using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Gradients of rows and of their weights: <c>weights[t,j] * gradient[row_of[t,j]]</c> as <paramref name="Result"/> <c>[R,W]</c>, and the
/// products of x and gradient, row by row, as <paramref name="WeightGradient"/> <c>[T,k]</c>.
/// </summary>
public sealed record ScaleRowsGradOp(Value X, Value Weights, Value RowOf, Value Gradient, Value Result, Value WeightGradient) : Op
{
    public override string Mnemonic => "scale_rows_dgrad";

    public override ImmutableArray<Value> Operands => [X, Weights, RowOf, Gradient];

    public override ImmutableArray<Value> Results => [Result, WeightGradient];

    public override Op Map(Func<Value, Value> map) => this with
    {
        X = map(X), Weights = map(Weights), RowOf = map(RowOf), Gradient = map(Gradient), Result = map(Result), WeightGradient = map(WeightGradient),
    };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Type("weights", Weights, DType.F32);
        rule.Type("row_of", RowOf, DType.I32);
        rule.SameShape("weights and row_of", Weights, RowOf);
        rule.Shape("x", X, RowOf.Type.Rows * RowOf.Type.Width, X.Type.Width);
        rule.SameShape("x and gradient", X, Gradient);
        rule.SameShape("x and result", X, Result);
        rule.Type("weight gradient", WeightGradient, DType.F32);
        rule.SameShape("weights and weight gradient", Weights, WeightGradient);
    }
}
