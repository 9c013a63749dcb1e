using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Each row times the weight that its token gave its expert: x <c>[R,W]</c>, weights f32 and row_of <c>[T,k]</c>, result
/// <c>[R,W]</c>; row <c>row_of[t,j]</c> is multiplied by <c>weights[t,j]</c>.
/// </summary>
public sealed record ScaleRowsOp(Value X, Value Weights, Value RowOf, Value Result) : Op
{
    public override string Mnemonic => "scale_rows";

    public override ImmutableArray<Value> Operands => [X, Weights, RowOf];

    public override ImmutableArray<Value> Results => [Result];

    public override ImmutableArray<Sharing> Shares => [new(Result, X, SharingKind.MayReuse)];

    public override Op Map(Func<Value, Value> map) => this with
    {
        X = map(X), Weights = map(Weights), RowOf = map(RowOf), Result = map(Result),
    };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Type("weights", Weights, DType.F32);
        rule.Type("row_of", RowOf, DType.I32);
        rule.SameShape("weights and row_of", Weights, RowOf);
        rule.Shape("x", X, RowOf.Type.Rows * RowOf.Type.Width, X.Type.Width);
        rule.SameShape("x and result", X, Result);
    }
}
