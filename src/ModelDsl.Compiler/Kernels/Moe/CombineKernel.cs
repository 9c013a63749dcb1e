using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;

namespace ModelDsl.Compiler.Kernels.Moe;

/// <summary><c>out[t] = shared[t] + sum_j weights[t,j] * y[row_of[t,j]]</c>, added up in FP32 in the order of j.</summary>
/// <param name="Active">Experts per token.</param>
/// <param name="Shared">There is an output of shared experts to start from.</param>
public sealed record CombineKernel(int Width, int Active, DType Io, bool Shared) : Kernel
{
    public override string Name => $"combine_w{Width}_k{Active}_{Io.Text()}" + KernelNames.If(Shared, "shared");

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("y", Io),
        KernelParameter.In("row_of", DType.I32),
        KernelParameter.In("weights", DType.F32),
        .. Shared ? [KernelParameter.In("shared", Io)] : Array.Empty<KernelParameter>(),
        KernelParameter.Out("out", Io),
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    private RowTiling Tiling => RowTiling.Streaming(Width, Io, grouped: false);
}
