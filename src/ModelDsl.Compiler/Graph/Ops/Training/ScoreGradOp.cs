using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Gradient of the router's logits from that of the scores, f32 <c>[T,E]</c>: <c>s (1 - s) g</c> under sigmoid,
/// <c>s (g - sum(s g))</c> under softmax.
/// </summary>
public sealed record ScoreGradOp(Value Scores, Value Gradient, ScoreFunction Function, Value Result) : Op
{
    public override string Mnemonic => "score_dgrad";

    public override ImmutableArray<Value> Operands => [Scores, Gradient];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => Function == ScoreFunction.Sigmoid ? "sigmoid" : "softmax";

    public override Op Map(Func<Value, Value> map) => this with { Scores = map(Scores), Gradient = map(Gradient), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Type("scores", Scores, DType.F32);
        rule.Type("gradient", Gradient, DType.F32);
        rule.Type("result", Result, DType.F32);
        rule.SameShape("scores and gradient", Scores, Gradient);
        rule.SameShape("scores and result", Scores, Result);
    }
}
