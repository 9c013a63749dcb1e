using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// Affinity of every token to every expert: sigmoid or softmax of the router's logits, f32 <c>[T,E]</c> (V3 report, equation 15).
/// </summary>
public sealed record ScoreOp(Value Logits, ScoreFunction Function, Value Result) : Op
{
    public override string Mnemonic => "score";

    public override ImmutableArray<Value> Operands => [Logits];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => Function == ScoreFunction.Sigmoid ? "sigmoid" : "softmax";

    public override Op Map(Func<Value, Value> map) => this with { Logits = map(Logits), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Type("logits", Logits, DType.F32);
        rule.Type("result", Result, DType.F32);
        rule.Shape("result", Result, Logits.Type.Rows, Logits.Type.Width);
    }
}
