using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Passes.PlacePrecision;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Training;

/// <summary>
/// In which format a saved value is kept (V3 report, section 3.3.3): inputs of FP8 products that nothing else reads, the
/// output of attention and inputs of SwiGLUs as the policy's <c>cache</c> says; numbers of the router and of losses in F32; everything
/// else in the activation type.
/// </summary>
internal sealed class SavedFormats(PrecisionSpec precision)
{
    private readonly FormatTable _formats = new(precision);

    /// <param name="maker">The op of the forward pass that made it.</param>
    /// <param name="readers">The ops of the backward pass that read it.</param>
    public NumberFormat? Of(Temporary value, Op maker, IReadOnlyList<Op> readers)
    {
        if (value.Type.Type == DType.I32) return null;
        if (IsNumber(value, maker)) return NumberFormat.Fp32;
        var wide = _formats.Activation == DType.F32 ? NumberFormat.Fp32 : NumberFormat.Bf16;
        if (precision.Cache is not { } cache) return wide;
        if (maker is MlaPrefillOp) return cache.AttentionOutput.Format;
        if (readers.Any(reader => reader is SwiGluGradOp or SwiGluOp)) return cache.SwigluInput.Format;
        return readers.All(IsFp8Product) ? cache.Activations.Format : wide;
    }

    /// <summary>Bytes of one element, and of its share of the scales: one F32 per group of a scaled format, two numbers of LogFMT.</summary>
    public double BytesPerElement(NumberFormat? format)
    {
        var group = 4.0 / Math.Max(1, precision.Gemm.Activations.Columns);
        return format switch
        {
            null or NumberFormat.Fp32 => 4,
            NumberFormat.Bf16 or NumberFormat.Fp16 => 2,
            NumberFormat.E5M6 => 1.5 + group,
            NumberFormat.LogFmt8 => 1 + 2 * group,
            NumberFormat.LogFmt10 => 1.25 + 2 * group,
            _ => 1 + group,
        };
    }

    private static bool IsNumber(Temporary value, Op maker) =>
        FormatTable.StaysF32(maker) || maker is CrossEntropyOp or SortGatesOp || maker is MlaPrefillOp { Lse: Temporary lse } && lse.Id == value.Id;

    private bool IsFp8Product(Op reader) => reader switch
    {
        LinearOp again => _formats.IsFp8(again.Part),
        LinearWeightGradOp linear => _formats.IsFp8(linear.Part),
        GroupedLinearWeightGradOp => _formats.IsFp8(ModelPart.Experts),
        _ => false,
    };
}
