using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Gradient of the rows that were normalised. With <c>r = 1 / sqrt(mean(x²) + epsilon)</c> and <c>g = gradient * weight</c>:
/// <c>r * (g - x * r² * mean(g * x))</c>, all <c>[rows, W]</c>.
/// </summary>
public sealed record RmsNormGradOp(Value X, Value Weight, Value Gradient, double Epsilon, Value Result) : Op
{
    public override string Mnemonic => "rms_norm_dgrad";

    public override ImmutableArray<Value> Operands => [X, Weight, Gradient];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => RmsNormOp.Describe(Epsilon);

    public override Op Map(Func<Value, Value> map) => this with
    {
        X = map(X), Weight = map(Weight), Gradient = map(Gradient), Result = map(Result),
    };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Type("weight", Weight, DType.F32);
        rule.Shape("weight", Weight, X.Type.Width);
        rule.SameShape("x and gradient", X, Gradient);
        rule.SameShape("x and result", X, Result);
    }
}
