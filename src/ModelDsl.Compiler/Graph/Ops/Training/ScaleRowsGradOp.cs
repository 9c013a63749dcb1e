using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Gradients of rows and of their factors: <c>factors * gradient</c> as <paramref name="Result"/> <c>[R,W]</c>, and the products of x and
/// gradient, row by row, as <paramref name="FactorGradient"/> f32 <c>[R,1]</c>.
/// </summary>
public sealed record ScaleRowsGradOp(Value X, Value Factors, Value Gradient, Value Result, Value FactorGradient) : Op
{
    public override string Mnemonic => "scale_rows_dgrad";

    public override ImmutableArray<Value> Operands => [X, Factors, Gradient];

    public override ImmutableArray<Value> Results => [Result, FactorGradient];

    public override Op Map(Func<Value, Value> map) => this with
    {
        X = map(X), Factors = map(Factors), Gradient = map(Gradient), Result = map(Result), FactorGradient = map(FactorGradient),
    };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Type("factors", Factors, DType.F32);
        rule.Shape("factors", Factors, X.Type.Rows, 1);
        rule.SameShape("x and gradient", X, Gradient);
        rule.SameShape("x and result", X, Result);
        rule.Type("factor gradient", FactorGradient, DType.F32);
        rule.SameShape("factors and factor gradient", Factors, FactorGradient);
    }
}
