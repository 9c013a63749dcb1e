using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Passes.PlacePrecision;

/// <summary>
/// Which format what has: the one table of precision (V3 report, section 3.3.1). FP8 are the operands of the linear layers of
/// attention, MLP, experts and shared experts, as far as the policy does not keep them wide. Embedding, head, norms, router and
/// the core of attention never are.
/// </summary>
internal sealed class FormatTable(PrecisionSpec precision)
{
    /// <summary>Of everything that flows between ops.</summary>
    public DType Activation { get; } = precision.Gemm.Format == NumberFormat.Fp32 ? DType.F32 : DType.BF16;

    public BlockScales WeightScales { get; } = new(precision.Gemm.Weights.Rows, precision.Gemm.Weights.Columns);

    public ScaleRounding Rounding { get; } = precision.Gemm.Scale;

    public DType Embedding { get; } = Widest(precision, ModelPart.Embedding);

    /// <summary>The linear layer takes E4M3 operands. The projections of attention belong to no part that a policy could keep.</summary>
    public bool IsFp8(ModelPart? part) =>
        precision.Gemm.IsFp8 && part is null or ModelPart.Mlp or ModelPart.Experts && precision.Keep.All(keep => keep.Part != part);

    /// <summary>Of the weights of a linear layer that is not FP8.</summary>
    public DType Weight(ModelPart? part) => part is { } named ? Widest(precision, named) : Activation;

    /// <summary>
    /// The result is F32 whatever the policy: the router from its logits on, logits, and the partial sums of split attention.
    /// </summary>
    public static bool StaysF32(Op op) => op switch
    {
        LinearOp linear => linear.Part is ModelPart.Router or ModelPart.OutputHead,
        ScoreOp or SelectExpertsOp or GateOp or MlaDecodeOp => true,
        _ => false,
    };

    private static DType Widest(PrecisionSpec precision, ModelPart part) =>
        precision.Gemm.Format == NumberFormat.Fp32 || precision.FormatOf(part) == NumberFormat.Fp32 ? DType.F32 : DType.BF16;
}
