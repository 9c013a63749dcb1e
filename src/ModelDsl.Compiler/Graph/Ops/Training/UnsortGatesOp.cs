using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// The other way round than <see cref="SortGatesOp"/>, and its gradient: x f32 <c>[R,1]</c>, row_of <c>[T,k]</c>, result f32
/// <c>[T,k]</c>.
/// </summary>
public sealed record UnsortGatesOp(Value X, Value RowOf, Value Result) : Op
{
    public override string Mnemonic => "unsort_gates";

    public override ImmutableArray<Value> Operands => [X, RowOf];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), RowOf = map(RowOf), Result = map(Result) };

    public override void Check(TypeRule rule) => SortGatesOp.CheckOrders(rule, Result, RowOf, X);
}
