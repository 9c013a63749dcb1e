using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>A view of the last rows: x <c>[T, W]</c>, result <c>[L, W]</c>.</summary>
public sealed record TailRowsOp(Value X, Value Result) : Op
{
    public override string Mnemonic => "tail_rows";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [Result];

    public override ImmutableArray<Sharing> Shares =>
        [new(Result, X, SharingKind.View, (X.Type.Rows - Result.Type.Rows) * (X.Type.Width * X.Type.Type.Bytes()))];

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Same("x and result", X, Result);
        rule.Shape("result", Result, Result.Type.Rows, X.Type.Width);
    }
}
