using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;

namespace ModelDsl.Compiler.Kernels.Moe;

/// <summary>Row r of the result is row <c>source[r]</c> of <c>x</c>; with quantised activations their scales move along.</summary>
/// <param name="ScaleColumns">Scales per row; 0: there are none.</param>
public sealed record PermuteKernel(int Width, DType Type, int ScaleColumns) : Kernel
{
    public override string Name => $"permute_w{Width}_{Type.Text()}" + (ScaleColumns > 0 ? $"_c{ScaleColumns}" : "");

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("x", Type),
        .. ScaleColumns > 0 ? [KernelParameter.In("scales", DType.F32)] : Array.Empty<KernelParameter>(),
        KernelParameter.In("source", DType.I32),
        KernelParameter.Out("out", Type),
        .. ScaleColumns > 0 ? [KernelParameter.Out("out_scales", DType.F32)] : Array.Empty<KernelParameter>(),
        KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    private RowTiling Tiling => RowTiling.Streaming(Width, Type, grouped: false);
}
