using System.Collections.Immutable;
using System.Globalization;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// The sequence-wise balance loss <c>weight / ranks * alpha * sum_i f_i P_i</c> (V3 report, equations 17 to 20): scores f32 <c>[T,E]</c>, weight and
/// loss f32 numbers. <c>f</c> counts how often an expert is among the k best; <c>P</c> is the mean of the scores, each token's divided by
/// their sum.
/// </summary>
/// <param name="Indices">i32 <c>[T,k]</c>: what was chosen, where that is to be counted; null: the k best of the scores, as equation 18
/// prints it, without bias and groups.</param>
/// <param name="Tail">Rows at the end that stand for no token.</param>
/// <param name="Ranks">How many ranks compute this same loss: each counts its share.</param>
public sealed record BalanceLossOp(Value Scores, Value? Indices, Value Weight, MoeSpec Moe, int Tail, Value Loss, int Ranks = 1) : Op
{
    public override string Mnemonic => "balance_loss";

    public override ImmutableArray<Value> Operands => Values.Present(Scores, Indices, Weight);

    public override ImmutableArray<Value> Results => [Loss];

    public override string Attributes => Describe(Moe, Tail, Ranks);

    public override Op Map(Func<Value, Value> map) => this with
    {
        Scores = map(Scores), Indices = map.MapOptional(Indices), Weight = map(Weight), Loss = map(Loss),
    };

    public override void Check(TypeRule rule)
    {
        CheckScores(rule, Scores, Indices, Moe);
        rule.Shape("weight", Weight);
        rule.Type("loss", Loss, DType.F32);
        rule.Shape("loss", Loss);
    }

    internal static string Describe(MoeSpec moe, int tail, int ranks) =>
        $"active={moe.Active} alpha={Alpha(moe).ToString("R", CultureInfo.InvariantCulture)}"
        + (tail > 0 ? $" tail={tail}" : "") + (ranks > 1 ? $" ranks={ranks}" : "");

    internal static double Alpha(MoeSpec moe) => moe.Balance.SequenceLoss ?? 0;

    internal static void CheckScores(TypeRule rule, Value scores, Value? indices, MoeSpec moe)
    {
        rule.Type("scores", scores, DType.F32);
        rule.Shape("scores", scores, scores.Type.Rows, moe.Routed);
        if (indices is null) return;
        rule.Type("indices", indices, DType.I32);
        rule.Shape("indices", indices, scores.Type.Rows, moe.Active);
    }
}
