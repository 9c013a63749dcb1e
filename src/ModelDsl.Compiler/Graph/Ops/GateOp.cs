using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary><see cref="ScoreOp"/> and <see cref="SelectExpertsOp"/> in one; scores are written where somebody wants them.</summary>
public sealed record GateOp(Value Logits, Value? Bias, MoeSpec Moe, Value Indices, Value Weights, Value? Scores) : Op
{
    public override string Mnemonic => "gate";

    public override ImmutableArray<Value> Operands => Values.Present(Logits, Bias);

    public override ImmutableArray<Value> Results => Values.Present(Indices, Weights, Scores);

    public override string Attributes =>
        $"{(Moe.Gate.Score == ScoreFunction.Sigmoid ? "sigmoid" : "softmax")} {SelectExpertsOp.Describe(Moe)}";

    public override Op Map(Func<Value, Value> map) => this with
    {
        Logits = map(Logits), Bias = map.MapOptional(Bias),
        Indices = map(Indices), Weights = map(Weights), Scores = map.MapOptional(Scores),
    };

    public override void Check(TypeRule rule)
    {
        SelectExpertsOp.CheckSelection(rule, Logits, Bias, Moe, Indices, Weights);
        if (Scores is null) return;
        rule.Type("scores", Scores, DType.F32);
        rule.Shape("scores", Scores, Logits.Type.Rows, Moe.Routed);
    }
}
