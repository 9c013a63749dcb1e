using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>Each row times a number of its own: x <c>[R,W]</c>, factors f32 <c>[R,1]</c>, result <c>[R,W]</c>.</summary>
public sealed record ScaleRowsOp(Value X, Value Factors, Value Result) : Op
{
    public override string Mnemonic => "scale_rows";

    public override ImmutableArray<Value> Operands => [X, Factors];

    public override ImmutableArray<Value> Results => [Result];

    public override ImmutableArray<Sharing> Shares => [new(Result, X, SharingKind.MayReuse)];

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Factors = map(Factors), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Type("factors", Factors, DType.F32);
        rule.Shape("factors", Factors, X.Type.Rows, 1);
        rule.SameShape("x and result", X, Result);
    }
}
