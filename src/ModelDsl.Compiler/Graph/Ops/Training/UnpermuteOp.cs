using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// The sum of each token's rows, <c>sum_j y[row_of[t,j]]</c>: y <c>[R,W]</c>, row_of <c>[T,k]</c>, result <c>[T,W]</c>. The other way
/// round than <see cref="PermuteOp"/>: each is the gradient of the other.
/// </summary>
public sealed record UnpermuteOp(Value Y, Value RowOf, Value Result) : Op
{
    public override string Mnemonic => "unpermute";

    public override ImmutableArray<Value> Operands => [Y, RowOf];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { Y = map(Y), RowOf = map(RowOf), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("y", Y);
        rule.Same("y and result", Y, Result);
        rule.Type("row_of", RowOf, DType.I32);
        rule.Shape("y", Y, RowOf.Type.Rows * RowOf.Type.Width, Y.Type.Width);
        rule.Shape("result", Result, RowOf.Type.Rows, Y.Type.Width);
    }
}
