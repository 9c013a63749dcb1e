using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>Which kernel makes a product: all there are, by the model of <see cref="HopperCosts"/>, the fastest first.</summary>
public static class Fp8GemmChoice
{
    /// <summary>Where two are as good, the one that is listed first.</summary>
    /// <param name="rows">M, at most.</param>
    public static ImmutableArray<GemmCandidate> Rank(long rows, int n, int k, DType output, HopperGpu gpu) =>
    [
        .. Candidates(rows, n, k, output)
            .Select(kernel => new GemmCandidate(kernel, kernel is Fp8GemmFewRows few ? HopperCosts.Of(few, rows, gpu) : HopperCosts.Of((Fp8Gemm)kernel, rows, gpu)))
            .OrderBy(candidate => candidate.Cost.Microseconds),
    ];

    public static Kernel Best(long rows, int n, int k, DType output, HopperGpu gpu) => Rank(rows, n, k, output, gpu)[0].Kernel;

    /// <summary>Where rows fill no product, those that multiply fewer come first.</summary>
    private static IEnumerable<Kernel> Candidates(long rows, int n, int k, DType output)
    {
        var tiles = new[] { Fp8GemmTile.Few, Fp8GemmTile.Middle, Fp8GemmTile.Three, Fp8GemmTile.Many }.Select(Kernel (tile) => new Fp8Gemm(n, k, output, tile, HopperGpu.Multiprocessors));
        if (rows > FewRowsTile.MostRows) return tiles;
        var few = FewRows(FewRowsTile.RowsFor(rows)).Where(tile => Fits(tile, rows, n, k)).Select(Kernel (tile) => new Fp8GemmFewRows(n, k, output, tile));
        return rows <= TileStore.WaveRows / 2 ? few.Concat(tiles) : tiles.Concat(few);
    }

    private static bool Fits(FewRowsTile tile, long rows, int n, int k)
    {
        var blocks = (rows + tile.Rows - 1) / tile.Rows * ((n + tile.Outputs - 1) / tile.Outputs) * tile.Split;
        return tile.Split <= (k + FewRowsTile.Step - 1) / FewRowsTile.Step && blocks <= RunTogether(tile.Split);
    }

    private static IEnumerable<FewRowsTile> FewRows(int rows) =>
        from split in new[] { 1, 2, 4, 8 }
        from tile in rows <= 64 ? new FewRowsTile[] { new(rows, 128, split), new(rows, 64, split) } : [new(64, 64, split), new(rows, 64, split)]
        select tile;

    /// <summary>
    /// Blocks up to which none of a cluster waits for another to end. Pairs find their places wherever blocks do; larger clusters leave some free, as an H200 shows: 64 of four take twice as long as 32.
    /// </summary>
    private static long RunTogether(int split) => split switch { 1 => long.MaxValue, 2 => HopperGpu.Multiprocessors * FewRowsTile.Residents, _ => HopperGpu.Multiprocessors };
}
