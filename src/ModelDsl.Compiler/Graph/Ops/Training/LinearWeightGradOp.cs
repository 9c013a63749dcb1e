using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>Gradient of a linear layer's weight, <c>gradientᵀ · x</c>: x <c>[M,K]</c>, gradient <c>[M,N]</c>, result <c>[N,K]</c>.</summary>
public sealed record LinearWeightGradOp(Value X, Value Gradient, ModelPart? Part, Value Result) : Op
{
    public override string Mnemonic => "linear_wgrad";

    public override ImmutableArray<Value> Operands => [X, Gradient];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Gradient = map(Gradient), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Activation("gradient", Gradient);
        rule.Type("result", Result, DType.F32);
        rule.Require(X.Type.Rows == Gradient.Type.Rows, "x and gradient have equally many rows");
        rule.Shape("result", Result, Gradient.Type.Width, X.Type.Width);
    }
}
