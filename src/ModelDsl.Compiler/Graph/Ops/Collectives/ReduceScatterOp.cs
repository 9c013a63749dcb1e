using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Collectives;

/// <summary>
/// The sum over all ranks, of which each keeps its part: rows <c>[r * n, ..]</c> become <c>[r, ..]</c>, any other tensor a flat part
/// <c>[ceil(elements / n)]</c>, the last one padded with zeros. The other way round than <see cref="AllGatherOp"/>: each is the
/// gradient of the other.
/// </summary>
public sealed record ReduceScatterOp(Value X, CommGroup Group, Value Result) : Op
{
    public override string Mnemonic => "reduce_scatter";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"over={Group}";

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Same("x and result", X, Result);
        AllGatherOp.CheckParts(rule, Result, X, Group);
    }
}
