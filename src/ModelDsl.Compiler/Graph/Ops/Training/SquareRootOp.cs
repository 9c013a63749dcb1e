using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>The root of an f32 number: of the sum of squares, the norm.</summary>
public sealed record SquareRootOp(Value X, Value Result) : Op
{
    public override string Mnemonic => "square_root";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Type("x", X, DType.F32);
        rule.Shape("x", X);
        rule.Type("result", Result, DType.F32);
        rule.Shape("result", Result);
    }
}
