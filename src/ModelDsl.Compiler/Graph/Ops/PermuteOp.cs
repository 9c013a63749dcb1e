using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>Row r of the result <c>[R,W]</c> is row <c>source[r]</c> of x <c>[T,W]</c>; scales move with their rows.</summary>
public sealed record PermuteOp(Value X, Value Source, Value Result) : Op
{
    public override string Mnemonic => "permute";

    public override ImmutableArray<Value> Operands => [X, Source];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Source = map(Source), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Same("x and result", X, Result);
        rule.Require(X.Type.Scales == Result.Type.Scales, "a permutation keeps the scales");
        rule.Type("source", Source, DType.I32);
        rule.Shape("result", Result, Source.Type.Rows, X.Type.Width);
    }
}
