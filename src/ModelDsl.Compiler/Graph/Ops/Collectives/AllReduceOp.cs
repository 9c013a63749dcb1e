using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Collectives;

/// <summary>
/// The sum over all ranks, which each of them gets.
/// </summary>
public sealed record AllReduceOp(Value X, CommGroup Group, Value Result) : Op
{
    public override string Mnemonic => "all_reduce";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"over={Group}";

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Same("x and result", X, Result);
        rule.SameShape("x and result", X, Result);
    }
}
