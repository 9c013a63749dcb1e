using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Gradient of the scores from that of the chosen experts' weights; the choice itself, and so the bias, has none (V3 report, equation
/// 13). Scores and result f32 <c>[T,E]</c>, indices and gradient <c>[T,k]</c>.
/// </summary>
public sealed record SelectExpertsGradOp(Value Scores, Value Indices, Value Gradient, MoeSpec Moe, Value Result) : Op
{
    public override string Mnemonic => "select_experts_dgrad";

    public override ImmutableArray<Value> Operands => [Scores, Indices, Gradient];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => SelectExpertsOp.Describe(Moe);

    public override Op Map(Func<Value, Value> map) => this with
    {
        Scores = map(Scores), Indices = map(Indices), Gradient = map(Gradient), Result = map(Result),
    };

    public override void Check(TypeRule rule)
    {
        rule.Type("scores", Scores, DType.F32);
        rule.Type("indices", Indices, DType.I32);
        rule.Type("gradient", Gradient, DType.F32);
        rule.Shape("indices", Indices, Scores.Type.Rows, Moe.Active);
        rule.SameShape("indices and gradient", Indices, Gradient);
        rule.SameShape("scores and result", Scores, Result);
    }
}
