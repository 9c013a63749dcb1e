using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Kernels.Elementwise;

/// <summary><c>silu(x[:, 0:W]) * x[:, UpOffset:UpOffset+W]</c>: the gate comes first, <c>silu(z) = z / (1 + exp(-z))</c>.</summary>
/// <param name="Width">Elements of a result row.</param>
/// <param name="UpOffset">Where the second factor starts within a row of <c>x</c>.</param>
/// <param name="RowStride">Elements from one row of <c>x</c> to the next.</param>
/// <param name="Quantize">Writes 1 x 128 groups of E4M3 instead of activations.</param>
public sealed record SwiGluKernel(int Width, int UpOffset, int RowStride, DType Io, ScaleRounding? Quantize) : Kernel
{
    public override string Name => $"swiglu_w{Width}_u{UpOffset}_s{RowStride}_{Io.Text()}{KernelNames.Quantized(Quantize)}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("x", Io),
        .. Quantize is null ? [KernelParameter.Out("out", Io)] : new[] { QuantizedParameters.Q, QuantizedParameters.Scales },
        KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    private RowTiling Tiling => RowTiling.Streaming(Width, Io, grouped: Quantize is not null, UpOffset, RowStride);
}
