using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Views of a row's first and last columns: x <c>[rows, V+W]</c>, left <c>[rows, V]</c>, right <c>[rows, W]</c>. The other way round than
/// <see cref="ConcatColumnsOp"/>: each is the gradient of the other.
/// </summary>
public sealed record SplitColumnsOp(Value X, Value Left, Value Right) : Op
{
    public override string Mnemonic => "split_columns";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [Left, Right];

    public override ImmutableArray<Sharing> Shares =>
    [
        new(Left, X, SharingKind.View), new(Right, X, SharingKind.View, Left.Type.Width * X.Type.Type.Bytes()),
    ];

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Left = map(Left), Right = map(Right) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Same("x and left", X, Left);
        rule.Same("x and right", X, Right);
        rule.Shape("left", Left, X.Type.Rows, Left.Type.Width);
        rule.Shape("right", Right, X.Type.Rows, X.Type.Width - Left.Type.Width);
    }
}
