using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// The weight of each row in the order of the experts' rows: weights f32 and row_of <c>[T,k]</c>, result f32 <c>[R,1]</c>; entry
/// <c>row_of[t,j]</c> is <c>weights[t,j]</c>.
/// </summary>
public sealed record SortGatesOp(Value Weights, Value RowOf, Value Result) : Op
{
    public override string Mnemonic => "sort_gates";

    public override ImmutableArray<Value> Operands => [Weights, RowOf];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { Weights = map(Weights), RowOf = map(RowOf), Result = map(Result) };

    public override void Check(TypeRule rule) => CheckOrders(rule, Weights, RowOf, Result);

    internal static void CheckOrders(TypeRule rule, Value byToken, Value rowOf, Value byRow)
    {
        rule.Type("by token", byToken, DType.F32);
        rule.Type("row_of", rowOf, DType.I32);
        rule.SameShape("weights and row_of", byToken, rowOf);
        rule.Type("by row", byRow, DType.F32);
        rule.Shape("by row", byRow, rowOf.Type.Rows * rowOf.Type.Width, 1);
    }
}
