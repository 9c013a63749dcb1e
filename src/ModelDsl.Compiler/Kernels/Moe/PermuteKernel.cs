using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Moe;

/// <summary>Row r of the result is row <c>source[r]</c> of <c>x</c>; with quantised activations their scales move along.</summary>
/// <remarks>
/// One vector of up to 16 bytes per thread, up to four warps per block. Moves each row in and out once.
/// </remarks>
/// <param name="ScaleColumns">Scales per row; 0: there are none. x has <c>tokens</c> rows.</param>
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
        .. ScaleColumns > 0 ? [KernelParameter.Int("tokens")] : Array.Empty<KernelParameter>(),
        KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    private RowTiling Tiling => RowTiling.Streaming(Width, Type, grouped: false);

    protected override void Write(KernelBuilder k)
    {
        var x = ActivationPtr.Param(k, "x", Type);
        var scales = ScaleColumns > 0 ? k.GlobalPtrParam<F32>("scales") : null;
        var source = k.GlobalPtrParam<S32>("source");
        var output = ActivationPtr.Param(k, "out", Type);
        var outScales = ScaleColumns > 0 ? k.GlobalPtrParam<F32>("out_scales") : null;
        var tokens = ScaleColumns > 0 ? k.S32Param("tokens") : null;
        var row = BlockRow.Of(k, "rows");

        var from = source[row];
        var walk = RowWalk.OfGrid(k, Tiling);
        var inside = walk.Pieces(0).Single().Inside;
        var values = x.Row(from, Width).Plus(walk.Start).Bytes.LoadBytes(Tiling.Vector * Type.Bytes(), inside);
        output.Row(row, Width).Plus(walk.Start).Bytes.StoreBytes(values, inside);
        if (scales is null || tokens is null) return;

        k.Comment("the first blocks of a row take its scales along");
        var column = walk.Start / Tiling.Vector;
        var reach = Tiling.BlocksPerRow * Tiling.Threads;
        for (var first = 0; first < ScaleColumns; first += reach)
        {
            Pred mine = ScaleColumns - first >= reach ? true : column < ScaleColumns - first;
            var scale = (scales + from).Row(column + first, Access.ScaleColumns.Stride(tokens)).LoadOr(mine, 0f);
            (outScales! + row).Row(column + first, Access.ScaleColumns.Stride(row.Count)).StoreIf(mine, scale);
        }
    }
}
