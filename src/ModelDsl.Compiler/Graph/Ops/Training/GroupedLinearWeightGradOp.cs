using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Gradient of a stack of weights, each expert's over the rows that it got: x <c>[R,K]</c>, gradient <c>[R,N]</c>, offsets
/// <c>[E+1]</c>, result <c>[E,N,K]</c>; 0 for an expert without rows.
/// </summary>
public sealed record GroupedLinearWeightGradOp(Value X, Value Gradient, Value Offsets, Value Result) : Op
{
    public override string Mnemonic => "grouped_wgrad";

    public override ImmutableArray<Value> Operands => [X, Gradient, Offsets];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with
    {
        X = map(X), Gradient = map(Gradient), Offsets = map(Offsets), Result = map(Result),
    };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Activation("gradient", Gradient);
        rule.Type("offsets", Offsets, DType.I32);
        rule.Type("result", Result, DType.F32);
        rule.Require(X.Type.Rows == Gradient.Type.Rows, "x and gradient have equally many rows");
        rule.Shape("result", Result, Result.Type.Rows, Gradient.Type.Width, X.Type.Width);
        rule.Shape("offsets", Offsets, Result.Type.Rows + 1);
    }
}
