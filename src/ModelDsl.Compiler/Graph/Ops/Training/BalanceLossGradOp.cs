using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>Gradient of the scores from that of their balance loss, f32 <c>[T,E]</c>; the counts are constants.</summary>
public sealed record BalanceLossGradOp(Value Scores, Value? Indices, Value Weight, Value Gradient, MoeSpec Moe, int Tail, Value Result, int Ranks = 1) : Op
{
    public override string Mnemonic => "balance_loss_dgrad";

    public override ImmutableArray<Value> Operands => Values.Present(Scores, Indices, Weight, Gradient);

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => BalanceLossOp.Describe(Moe, Tail, Ranks);

    public override Op Map(Func<Value, Value> map) => this with
    {
        Scores = map(Scores), Indices = map.MapOptional(Indices), Weight = map(Weight), Gradient = map(Gradient), Result = map(Result),
    };

    public override void Check(TypeRule rule)
    {
        BalanceLossOp.CheckScores(rule, Scores, Indices, Moe);
        rule.Shape("weight", Weight);
        rule.Shape("gradient", Gradient);
        rule.Type("result", Result, DType.F32);
        rule.SameShape("scores and result", Scores, Result);
    }
}
