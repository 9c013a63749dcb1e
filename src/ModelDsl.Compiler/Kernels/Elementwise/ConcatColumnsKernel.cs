using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;

namespace ModelDsl.Compiler.Kernels.Elementwise;

/// <summary>Row t of the result is row t of <c>a</c>, then row t of <c>b</c>.</summary>
/// <remarks>
/// One vector of each per thread, up to four warps per block. Moves two rows in and one of twice the width out.
/// </remarks>
/// <param name="Width">Elements of a row of <c>a</c>, and of one of <c>b</c>.</param>
public sealed record ConcatColumnsKernel(int Width, DType Io) : Kernel
{
    public override string Name => $"concat_columns_w{Width}_{Io.Text()}";

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
        var bytes = Tiling.Vector * Io.Bytes();
        var to = output.Row(row, 2 * Width).Plus(walk.Start).Bytes;
        to.StoreBytes(a.Row(row, Width).Plus(walk.Start).Bytes.LoadBytes(bytes, inside), inside);
        to.AddBytes((long)Width * Io.Bytes()).StoreBytes(b.Row(row, Width).Plus(walk.Start).Bytes.LoadBytes(bytes, inside), inside);
    }
}
