using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary><c>x · weightᵀ</c>: x <c>[M,K]</c>, weight <c>[N,K]</c>, result <c>[M,N]</c>.</summary>
/// <param name="Part">The part of the model that a precision policy can keep wide; null for the projections of attention.</param>
public sealed record LinearOp(Value X, Value Weight, ModelPart? Part, Value Result) : Op
{
    public override string Mnemonic => "linear";

    public override ImmutableArray<Value> Operands => [X, Weight];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Weight = map(Weight), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Product(X, Weight, Result);
        rule.Shape("weight", Weight, Weight.Type.Rows, X.Type.Width);
        rule.Shape("result", Result, X.Type.Rows, Weight.Type.Rows);
    }
}
