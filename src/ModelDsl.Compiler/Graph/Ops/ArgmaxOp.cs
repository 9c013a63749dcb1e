using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>The best id of every row of logits f32 <c>[L,V]</c>, the lowest where several are best: i32 <c>[L]</c>.</summary>
public sealed record ArgmaxOp(Value Logits, Value Valid, Value Result) : Op
{
    public override string Mnemonic => "argmax";

    public override ImmutableArray<Value> Operands => [Logits, Valid];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { Logits = map(Logits), Valid = map(Valid), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Type("logits", Logits, DType.F32);
        rule.Type("result", Result, DType.I32);
        rule.Shape("result", Result, Logits.Type.Rows);
    }
}
