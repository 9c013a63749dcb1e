using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>The integer of the next row, -1 in the last one: x and result <c>[T]</c>. From labels, what an MTP module is to predict.</summary>
public sealed record ShiftRowsOp(Value X, Value Result) : Op
{
    public override string Mnemonic => "shift_rows";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Type("x", X, DType.I32);
        rule.Type("result", Result, DType.I32);
        rule.SameShape("x and result", X, Result);
    }
}
