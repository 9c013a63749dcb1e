using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Kernels.Moe;

/// <summary>
/// The router's choice (V3 report, equations 13 to 16, with node limits as groups): scores, the best groups, the best experts in them,
/// their weights. The bias takes part in the choice and in nothing else.
/// </summary>
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

    public override LaunchGeometry Geometry => new(Dim.Rows, 32);
}
