using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>One tile of C.</summary>
/// <param name="First">First row, in its group where groups have matrices of their own.</param>
/// <param name="Column">Counted in tiles.</param>
/// <param name="Rows">Rows there are, in its group.</param>
/// <param name="Group">Null where there are none.</param>
internal sealed record TilePlace(S32 First, S32 Column, S32 Rows, S32? Group = null)
{
    /// <summary>First step along the depth and how many there are, where that differs from tile to tile.</summary>
    public (S32 First, S32 Count)? Steps { get; init; }

    /// <summary>Behind the last row that is the tile's to write, where that is not the end of the matrix.</summary>
    public S32? End { get; init; }
}

/// <summary>A persistent grid: block b of G works on tiles b, b + G, b + 2G …, which every role of its warps walks through by itself.</summary>
internal abstract record TileScheduler(KernelBuilder K, int TileRows, int ColumnTiles)
{
    public abstract void ForEach(Action<TilePlace> work);
}

/// <summary>
/// Tiles are counted in bands of <paramref name="Band"/> columns by all rows, columns first, so that what runs at the same time shares rows of A and
/// columns of W in L2.
/// </summary>
/// <param name="Rows">Known when the kernel runs.</param>
/// <param name="GroupOfRow">For each row its group, the same for all rows of a tile; tiles of a negative one are left out.</param>
internal sealed record BandScheduler(KernelBuilder K, S32 Rows, int TileRows, int ColumnTiles, int Band, GlobalPtr<S32>? GroupOfRow) : TileScheduler(K, TileRows, ColumnTiles)
{
    /// <summary>8 or 16 columns, whichever has the blocks of a wave read fewer rows and columns.</summary>
    public static int BestBand(int blocks, int tileRows, int tileColumns)
    {
        int Read(int band) => band * tileColumns + (blocks + band - 1) / band * tileRows;
        return Read(8) <= Read(16) ? 8 : 16;
    }

    public override void ForEach(Action<TilePlace> work)
    {
        var bands = new TileBands(K, K.CeilDivide(Rows, TileRows), ColumnTiles, Band);
        K.For(K.BlockIdX, bands.Tiles, K.GridDimX, tile =>
        {
            var (row, column) = bands.Place(tile);
            var place = new TilePlace(row * TileRows, column, Rows);
            if (GroupOfRow is null)
            {
                work(place);
                return;
            }
            var group = GroupOfRow.Load(row * TileRows);
            K.If(group >= 0, () => work(place with { Group = group }), uniform: true);
        }, nounroll: true);
    }
}

/// <summary>Groups of which only the first rows count, as many as a table says when the kernel runs: a walk through groups as far as this block's next tile.</summary>
internal sealed record MaskedScheduler(KernelBuilder K, GlobalPtr<S32> Counts, int Groups, int TileRows, int ColumnTiles) : TileScheduler(K, TileRows, ColumnTiles)
{
    public override void ForEach(Action<TilePlace> work)
    {
        var (tile, group, first) = (K.Var(K.BlockIdX), K.Var<S32>(0), K.Var<S32>(0));
        K.While(() => group.Value < Groups, () =>
        {
            var rows = Counts.Load(group.Value);
            var (inside, tiles) = (tile.Value - first.Value, K.CeilDivide(rows, TileRows) * ColumnTiles);
            K.If(inside < tiles, () =>
            {
                var row = inside / ColumnTiles;
                work(new TilePlace(row * TileRows, inside - row * ColumnTiles, rows, group.Value));
                tile.Value = tile.Value + K.GridDimX;
            }, () =>
            {
                first.Value = first.Value + tiles;
                group.Value = group.Value + 1;
            }, uniform: true);
        });
    }
}
