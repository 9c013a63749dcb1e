using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Elementwise;

/// <summary><c>out = a + b</c>, rounded once; <c>out</c> may be one of the two.</summary>
/// <remarks>
/// One vector per thread, up to four warps per block. Moves two rows in and one out.
/// </remarks>
public sealed record AddKernel(int Width, DType Io) : Kernel
{
    public override string Name => $"add_w{Width}_{Io.Text()}";

    public override ImmutableArray<KernelParameter> Parameters =>
        [KernelParameter.In("a", Io), KernelParameter.In("b", Io), KernelParameter.Out("out", Io), KernelParameter.Int("tokens")];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    private RowTiling Tiling => RowTiling.Streaming(Width, Io, grouped: false);

    protected override void Write(KernelBuilder k)
    {
        var a = ActivationPtr.Param(k, "a", Io);
        var b = ActivationPtr.Param(k, "b", Io);
        var output = ActivationPtr.Param(k, "out", Io);
        var row = BlockRow.Of(k, "tokens");

        var walk = RowWalk.OfGrid(k, Tiling);
        var inside = walk.Pieces(0).Single().Inside;
        F32[] Read(ActivationPtr from) => from.Row(row, Width).Plus(walk.Start).Load(0, Tiling.Vector, inside);
        output.Row(row, Width).Plus(walk.Start).Store(0, [.. Read(a).Zip(Read(b), (x, y) => x + y)], inside);
    }
}
