using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Specs;

/// <summary>Number formats that a tensor may have.</summary>
public enum NumberFormat
{
    Fp32,
    Bf16,
    Fp16,
    E4M3,
    E5M2,
    E5M6,
    LogFmt8,
    LogFmt10,
}

/// <summary>Which parts of a model a precision policy can name in <c>keep</c>.</summary>
public enum ModelPart
{
    Embedding,
    OutputHead,
    Norm,
    Attention,
    Router,
    Mlp,
    Experts,
}

/// <summary>Where FP8 starts and ends (V3 report, section 3.3).</summary>
/// <param name="Gemm">Operands of every linear layer.</param>
/// <param name="Keep">Parts that stay in a wider format, whatever <see cref="Gemm"/> says.</param>
public sealed record PrecisionSpec(
    string Name, GemmSpec Gemm, EquatableArray<KeepSpec> Keep, StateSpec State, CacheSpec? Cache, WireSpec? Wire, Origin Origin)
{
    /// <summary>The format of a part: what <c>keep</c> says, else what the GEMMs use (their FP8 counts as BF16 outside of a GEMM).</summary>
    public NumberFormat FormatOf(ModelPart part)
    {
        foreach (var keep in Keep)
            if (keep.Part == part)
                return keep.Format;
        return Gemm.Format == NumberFormat.E4M3 ? NumberFormat.Bf16 : Gemm.Format;
    }
}

/// <param name="Activations">Scale granularity of activations: rows x columns (1 x 128); ignored unless the format is FP8.</param>
/// <param name="Weights">Scale granularity of weights (128 x 128).</param>
/// <param name="Promote">Products added up in the tensor core before they go to an FP32 register.</param>
/// <param name="Scale">How scales are rounded.</param>
public sealed record GemmSpec(NumberFormat Format, TileShape Activations, TileShape Weights, int Promote, ScaleRounding Scale, Origin Origin)
{
    public bool IsFp8 => Format == NumberFormat.E4M3;
}

public readonly record struct TileShape(int Rows, int Columns);

public enum ScaleRounding
{
    /// <summary>amax / 448 in FP32.</summary>
    Exact,

    /// <summary>The next power of two at or above it (<c>scale_fmt: ue8m0</c>).</summary>
    PowerOfTwo,
}

public sealed record KeepSpec(ModelPart Part, NumberFormat Format);

/// <summary>Formats of what the optimizer owns.</summary>
public sealed record StateSpec(NumberFormat Master, NumberFormat Gradients, NumberFormat Moments)
{
    public static StateSpec Default { get; } = new(NumberFormat.Fp32, NumberFormat.Fp32, NumberFormat.Fp32);
}

/// <summary>What the forward pass leaves for the backward pass.</summary>
public sealed record CacheSpec(
    ScaledFormat Activations, ScaledFormat AttentionOutput, ScaledFormat SwigluInput, EquatableArray<string> Recompute, Origin Origin);

/// <summary>What travels in the all-to-all.</summary>
public sealed record WireSpec(ScaledFormat Dispatch, ScaledFormat Combine, Origin Origin);

public readonly record struct ScaledFormat(NumberFormat Format, ScaleRounding Scale);

/// <summary>The three policies that exist without being declared.</summary>
public static class BuiltInPrecision
{
    /// <summary>The audit policy: the same graph in FP32 arithmetic.</summary>
    public static PrecisionSpec Fp32 { get; } = Uniform("fp32", NumberFormat.Fp32);

    public static PrecisionSpec Bf16 { get; } = Uniform("bf16", NumberFormat.Bf16);

    /// <summary>W8A8 as DeepSeek-V3 was trained: 1x128 activations, 128x128 weights, FP32 promotion every 128 products.</summary>
    public static PrecisionSpec Fp8 { get; } = Uniform("fp8", NumberFormat.E4M3);

    public static PrecisionSpec? ByName(string name) => name switch
    {
        "fp32" => Fp32,
        "bf16" => Bf16,
        "fp8" => Fp8,
        _ => null,
    };

    private static PrecisionSpec Uniform(string name, NumberFormat format) => new(
        name,
        new GemmSpec(format, new TileShape(1, 128), new TileShape(128, 128), 128, ScaleRounding.Exact, Origin.None),
        [new KeepSpec(ModelPart.Router, NumberFormat.Fp32)],
        StateSpec.Default,
        Cache: null,
        Wire: null,
        Origin.None);
}
