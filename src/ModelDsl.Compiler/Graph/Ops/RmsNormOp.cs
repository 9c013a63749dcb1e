using System.Collections.Immutable;
using System.Globalization;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary><c>x * weight / sqrt(mean(x²) + epsilon)</c> over rows <c>[rows, W]</c>.</summary>
public sealed record RmsNormOp(Value X, Value Weight, double Epsilon, Value Result) : Op
{
    public override string Mnemonic => "rms_norm";

    public override ImmutableArray<Value> Operands => [X, Weight];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => Describe(Epsilon);

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Weight = map(Weight), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Type("weight", Weight, DType.F32);
        rule.Shape("weight", Weight, X.Type.Width);
        rule.Same("x and result", X, Result);
        rule.Shape("result", Result, X.Type.Rows, X.Type.Width);
    }

    internal static string Describe(double epsilon) => $"epsilon={epsilon.ToString("R", CultureInfo.InvariantCulture)}";
}
