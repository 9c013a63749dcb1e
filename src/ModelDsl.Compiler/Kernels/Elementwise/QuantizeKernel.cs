using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Kernels.Elementwise;

/// <summary>Activations to E4M3 with one scale per 1 x 128 group; the last group of a row is what is left.</summary>
public sealed record QuantizeKernel(int Width, DType Io, ScaleRounding Scale) : Kernel
{
    public override string Name => $"quantize_w{Width}_{Io.Text()}{KernelNames.Quantized(Scale)}";

    public override ImmutableArray<KernelParameter> Parameters =>
        [KernelParameter.In("x", Io), QuantizedParameters.Q, QuantizedParameters.Scales, KernelParameter.Int("tokens")];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    private RowTiling Tiling => RowTiling.Streaming(Width, Io, grouped: true);
}
