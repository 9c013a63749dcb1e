using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Kernels.Norm;

/// <summary><c>out = x / sqrt(mean(x²) + epsilon) * weight</c> over rows, with the residual addition in front of it if asked for.</summary>
/// <param name="Width">Elements normalised per row.</param>
/// <param name="RowStride">Elements from one row of <c>x</c> to the next; all other tensors are contiguous.</param>
/// <param name="Residual">The normalised row is <c>sum = io(x + delta)</c>, which is written too; <c>sum</c> may be <c>x</c>.</param>
/// <param name="WriteOut">Writes the result in the activation type.</param>
/// <param name="Quantize">Writes the result as 1 x 128 groups of E4M3.</param>
public sealed record RmsNormKernel(
    int Width, int RowStride, double Epsilon, DType Io, bool Residual, bool WriteOut, ScaleRounding? Quantize) : Kernel
{
    public override string Name =>
        $"rms_norm_w{Width}_s{RowStride}_e{KernelNames.Of(Epsilon)}_{Io.Text()}"
        + KernelNames.If(Residual, "residual") + KernelNames.If(WriteOut, "out") + KernelNames.Quantized(Quantize);

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("x", Io),
        .. Residual ? [KernelParameter.In("delta", Io)] : Array.Empty<KernelParameter>(),
        KernelParameter.In("weight", DType.F32),
        .. Residual ? [KernelParameter.Out("sum", Io)] : Array.Empty<KernelParameter>(),
        .. WriteOut ? [KernelParameter.Out("out", Io)] : Array.Empty<KernelParameter>(),
        .. Quantize is null ? Array.Empty<KernelParameter>() : [QuantizedParameters.Q, QuantizedParameters.Scales],
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.Threads);

    private RowTiling Tiling => RowTiling.WholeRow(Width, Io, grouped: Quantize is not null, RowStride);
}
