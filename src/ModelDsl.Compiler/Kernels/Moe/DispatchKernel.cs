using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Moe;

/// <summary>
/// Sorts the R = T * Active choices of a step by expert, in token order within one, and lists the row tiles that the grouped GEMM
/// works off: <c>tile_expert[i]</c> (-1 where unused) and <c>tile_row[i]</c>, the first row of the tile.
/// </summary>
/// <param name="TileRows">Rows per tile; tiles do not span experts.</param>
public sealed record DispatchKernel(int Experts, int Active, int TileRows) : Kernel
{
    private const int MostWarps = 16;
    private const int SharedBudget = 48 * 1024;

    public override string Name => $"dispatch_e{Experts}_k{Active}_t{TileRows}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("indices", DType.I32),
        KernelParameter.Out("offsets", DType.I32),
        KernelParameter.Out("row_of", DType.I32),
        KernelParameter.Out("source", DType.I32),
        KernelParameter.Out("tile_expert", DType.I32),
        KernelParameter.Out("tile_row", DType.I32),
        KernelParameter.Int("tokens"),
        KernelParameter.Int("tiles"),
    ];

    public override LaunchGeometry Geometry => new(1, Warps * 32, Warps * CounterBytes);

    private int Warps => Math.Max(1, Math.Min(MostWarps, SharedBudget / CounterBytes));

    /// <summary>Counters of one warp: a whole number of experts per lane.</summary>
    private int CounterBytes => (Experts + 31) / 32 * 32 * 4;
}
