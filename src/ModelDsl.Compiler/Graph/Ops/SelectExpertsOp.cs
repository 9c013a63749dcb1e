using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// Group-limited top-k: scores f32 <c>[T,E]</c>, bias f32 <c>[E]</c> or none; indices i32 <c>[T,k]</c> ascending, weights f32
/// <c>[T,k]</c> (V3 report, equations 13, 14, 16).
/// </summary>
public sealed record SelectExpertsOp(Value Scores, Value? Bias, MoeSpec Moe, Value Indices, Value Weights) : Op
{
    public override string Mnemonic => "select_experts";

    public override ImmutableArray<Value> Operands => Values.Present(Scores, Bias);

    public override ImmutableArray<Value> Results => [Indices, Weights];

    public override string Attributes => Describe(Moe);

    public override Op Map(Func<Value, Value> map) =>
        this with { Scores = map(Scores), Bias = map.MapOptional(Bias), Indices = map(Indices), Weights = map(Weights) };

    public override void Check(TypeRule rule) => CheckSelection(rule, Scores, Bias, Moe, Indices, Weights);

    internal static string Describe(MoeSpec moe) =>
        $"active={moe.Active}" + (moe.Groups is { } groups ? $" groups={groups.Kept}/{groups.Count}" : "");

    internal static void CheckSelection(TypeRule rule, Value scores, Value? bias, MoeSpec moe, Value indices, Value weights)
    {
        rule.Type("scores", scores, DType.F32);
        rule.Shape("scores", scores, scores.Type.Rows, moe.Routed);
        rule.Require(bias is not null == moe.HasSelectionBias, "the selection has a bias exactly if the model has one");
        if (bias is not null)
        {
            rule.Type("bias", bias, DType.F32);
            rule.Shape("bias", bias, moe.Routed);
        }

        rule.Type("indices", indices, DType.I32);
        rule.Shape("indices", indices, scores.Type.Rows, moe.Active);
        rule.Type("weights", weights, DType.F32);
        rule.Shape("weights", weights, scores.Type.Rows, moe.Active);
    }
}
