using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;

namespace ModelDsl.Compiler.Kernels.Elementwise;

/// <summary><c>out = a + b</c>, rounded once; <c>out</c> may be one of the two.</summary>
public sealed record AddKernel(int Width, DType Io) : Kernel
{
    public override string Name => $"add_w{Width}_{Io.Text()}";

    public override ImmutableArray<KernelParameter> Parameters =>
        [KernelParameter.In("a", Io), KernelParameter.In("b", Io), KernelParameter.Out("out", Io), KernelParameter.Int("tokens")];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    private RowTiling Tiling => RowTiling.Streaming(Width, Io, grouped: false);
}
