using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Gradient of a norm's weight: the sum of <c>gradient * x / sqrt(mean(x²) + epsilon)</c> over all rows; x and gradient
/// <c>[rows, W]</c>, result <c>[W]</c>.
/// </summary>
public sealed record RmsNormWeightGradOp(Value X, Value Gradient, double Epsilon, Value Result) : Op
{
    public override string Mnemonic => "rms_norm_wgrad";

    public override ImmutableArray<Value> Operands => [X, Gradient];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => RmsNormOp.Describe(Epsilon);

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Gradient = map(Gradient), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.SameShape("x and gradient", X, Gradient);
        rule.Type("result", Result, DType.F32);
        rule.Shape("result", Result, X.Type.Width);
    }
}
