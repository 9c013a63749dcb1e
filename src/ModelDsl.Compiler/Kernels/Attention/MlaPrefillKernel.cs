using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;

namespace ModelDsl.Compiler.Kernels.Attention;

/// <summary>
/// Causal attention of the new tokens over the whole context with keys and values per head (V3 report, equations 1 to 11). Query i
/// stands at position S - T + i. One pass over keys and values with a running maximum and sum (flash style).
/// </summary>
/// <param name="Scale">Factor on the products before the softmax.</param>
public sealed record MlaPrefillKernel(int Heads, int NopeDim, int RopeDim, int VDim, double Scale, DType Io) : Kernel
{
    public override string Name => $"mla_prefill_h{Heads}_n{NopeDim}_r{RopeDim}_v{VDim}_s{KernelNames.Of(Scale)}_{Io.Text()}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("q", Io),
        KernelParameter.In("kv", Io),
        KernelParameter.In("k_rope", Io),
        KernelParameter.Out("out", Io),
        KernelParameter.Int("tokens"),
        KernelParameter.Int("context"),
    ];

    public override LaunchGeometry Geometry => Io == DType.BF16
        ? new LaunchGeometry(Dim.CeilDiv(Dim.Tokens, MlaPrefillBf16.QueryRows), Heads, 1, MlaPrefillBf16.Threads, MlaPrefillBf16.SharedBytes(this))
        : new LaunchGeometry(Dim.CeilDiv(Dim.Tokens, MlaPrefillF32.Warps), Heads, 1, MlaPrefillF32.Warps * 32);

    protected override void Write(KernelBuilder k)
    {
        if (Io == DType.BF16) new MlaPrefillBf16(this, k).Emit();
        else new MlaPrefillF32(this, k).Emit();
    }
}
