using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Collectives;

/// <summary>
/// A view of the rank's part of what every rank of the group has: rows <c>[r * n]</c> become <c>[r]</c>. Integers: without gradient.
/// </summary>
public sealed record OwnRowsOp(Value X, CommGroup Group, Value Result) : Op
{
    public override string Mnemonic => "own_rows";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"over={Group}";

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Type("x", X, DType.I32);
        rule.Type("result", Result, DType.I32);
        AllGatherOp.CheckParts(rule, Result, X, Group);
    }
}
