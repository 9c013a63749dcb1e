using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// An id per row of logits f32 <c>[L,V]</c> from the nucleus, by inverse transform of uniform f32 <c>[L]</c>: i32 <c>[L]</c>.
/// </summary>
public sealed record TopPOp(Value Logits, Value Uniform, Value Temperature, Value TopP, Value Valid, Value Result) : Op
{
    public override string Mnemonic => "top_p";

    public override ImmutableArray<Value> Operands => [Logits, Uniform, Temperature, TopP, Valid];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with
    {
        Logits = map(Logits), Uniform = map(Uniform), Temperature = map(Temperature), TopP = map(TopP),
        Valid = map(Valid), Result = map(Result),
    };

    public override void Check(TypeRule rule)
    {
        rule.Type("logits", Logits, DType.F32);
        rule.Type("uniform", Uniform, DType.F32);
        rule.Shape("uniform", Uniform, Logits.Type.Rows);
        rule.Type("result", Result, DType.I32);
        rule.Shape("result", Result, Logits.Type.Rows);
    }
}
