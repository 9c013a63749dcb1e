using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Moe;

/// <summary>
/// The router's choice (V3 report, equations 13 to 16, with node limits as groups): scores, the best groups, the best experts in them,
/// their weights. The bias takes part in the choice and in nothing else.
/// </summary>
/// <remarks>
/// One warp per token, four of them in a block; expert e belongs to lane <c>e % 32</c>. Moves the logits in, Active ids and weights out; everything else stays in
/// registers, but for the group scores, which lanes read from shared memory.
/// </remarks>
/// <param name="Active">Experts chosen per token; their ids are written in ascending order. Equal scores: the lowest id wins.</param>
/// <param name="Scale">Factor on the weights.</param>
/// <param name="Normalize">Weights are divided by their sum (plus 1e-20).</param>
/// <param name="Bias">There is a bias per expert.</param>
/// <param name="Groups">Experts come from the best groups only, others count as minus infinity; null: no groups.</param>
/// <param name="WriteScores">Also writes the scores of all experts, without bias.</param>
public sealed record GateKernel(
    int Experts, int Active, ScoreFunction Score, double Scale, bool Normalize, bool Bias, GroupSpec? Groups, bool WriteScores) : Kernel
{
    public override string Name =>
        $"gate_e{Experts}_k{Active}_{(Score == ScoreFunction.Sigmoid ? "sigmoid" : "softmax")}_x{KernelNames.Of(Scale)}"
        + KernelNames.If(Normalize, "norm") + KernelNames.If(Bias, "bias")
        + (Groups is { } g ? $"_g{g.Count}_{g.Kept}_{(g.Score == GroupScore.Max ? "max" : "top2")}" : "")
        + KernelNames.If(WriteScores, "scores");

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("logits", DType.F32),
        .. Bias ? [KernelParameter.In("bias", DType.F32)] : Array.Empty<KernelParameter>(),
        KernelParameter.Out("indices", DType.I32),
        KernelParameter.Out("weights", DType.F32),
        .. WriteScores ? [KernelParameter.Out("scores", DType.F32)] : Array.Empty<KernelParameter>(),
        KernelParameter.Int("tokens"),
    ];

    private const int TokensOfBlock = 4;

    public override LaunchGeometry Geometry => new(Dim.CeilDiv(Dim.Rows, TokensOfBlock), 32 * TokensOfBlock);

    protected override void Write(KernelBuilder k)
    {
        var logits = k.GlobalPtrParam<F32>("logits");
        var bias = Bias ? k.GlobalPtrParam<F32>("bias") : null;
        var indices = k.GlobalPtrParam<S32>("indices");
        var weights = k.GlobalPtrParam<F32>("weights");
        var allScores = WriteScores ? k.GlobalPtrParam<F32>("scores") : null;
        var token = BlockRow.OfWarp(k, "tokens", TokensOfBlock);

        var experts = new WarpRanking(k, Experts);
        var slots = Enumerable.Range(0, experts.Slots).ToArray();
        var scores = Scores(k, [.. slots.Select(i => logits.Row(token, Experts).LoadOr(experts.Exists(i), float.NegativeInfinity, experts.Item(i)))]);
        foreach (var i in slots) allScores?.Row(token, Experts).StoreIf(experts.Exists(i), scores[i], experts.Item(i));

        var biased = slots.Select(i => bias is null ? scores[i] : scores[i] + bias.LoadOr(experts.Exists(i), 0f, experts.Item(i))).ToArray();
        var keys = biased.Select(experts.Key);
        if (Groups is { } groups) keys = new GroupLimit(k, experts, Experts, groups).Apply(biased, TokensOfBlock);
        k.Comment("the best experts");
        var chosen = experts.Best(keys, Active);

        k.Comment("their weights, by ascending id");
        F32 factor = (float)Scale;
        if (Normalize) factor /= k.WarpReduceSum(slots.Select(i => k.Select(chosen[i], scores[i], 0f)).Aggregate((a, b) => a + b)) + 1e-20f;
        S32 before = 0;
        foreach (var i in slots)
        {
            var lanes = k.Ballot(chosen[i]);
            var place = before + k.PopCount(lanes & k.LanesBefore);
            indices.Row(token, Active).StoreIf(chosen[i], experts.Item(i), place);
            weights.Row(token, Active).StoreIf(chosen[i], scores[i] * factor, place);
            before += k.PopCount(lanes);
        }
    }

    /// <summary>The sigmoid of each logit, or the softmax over all of them. Slots without an expert hold minus infinity.</summary>
    private F32[] Scores(KernelBuilder k, F32[] logits)
    {
        if (Score == ScoreFunction.Sigmoid) return [.. logits.Select(x => (F32)1f / (k.Exp(-x) + 1f))];
        var largest = k.WarpReduceMax(logits.Aggregate(k.Max));
        var powers = logits.Select(x => k.Exp(x - largest)).ToArray();
        var sum = k.WarpReduceSum(powers.Aggregate((a, b) => a + b));
        return [.. powers.Select(p => p / sum)];
    }
}
