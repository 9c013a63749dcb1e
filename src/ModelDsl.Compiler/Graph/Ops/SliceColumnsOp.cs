using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// A view of columns <paramref name="Start"/> and following: x <c>[rows, W]</c>, result <c>[rows, w]</c> with the row stride
/// of x.
/// </summary>
public sealed record SliceColumnsOp(Value X, int Start, Value Result) : Op
{
    public override string Mnemonic => "slice_columns";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"start={Start}";

    public override ImmutableArray<Sharing> Shares => [new(Result, X, SharingKind.View, Start * X.Type.Type.Bytes())];

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Same("x and result", X, Result);
        rule.Require(Result.Type.Rows == X.Type.Rows, "a slice of columns keeps all rows");
        rule.Require(Start >= 0 && Start + Result.Type.Width <= X.Type.Width, "the columns are not all there");
    }
}
