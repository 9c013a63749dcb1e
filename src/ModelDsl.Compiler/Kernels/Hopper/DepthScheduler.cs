using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>Steps <paramref name="From"/> to <paramref name="To"/> of a tile's depth.</summary>
/// <param name="TileEnd">Where the tile ends, counted in chunks of all tiles.</param>
internal sealed record DepthPart(TilePlace Tile, S32 From, S32 To, S32 TileEnd);

/// <summary>
/// Stream-K: the chunks of all tiles one behind the other, cut into as many equal runs as there are blocks. A run may begin and end inside of a tile, so
/// that all blocks are done at the same time; the first part of a tile is always the last of its block's run.
/// </summary>
/// <param name="Rows">Known when the kernel runs.</param>
/// <param name="Steps">Of a tile.</param>
/// <param name="Chunk">Steps that stay together.</param>
internal sealed record DepthScheduler(KernelBuilder K, S32 Rows, int TileRows, int ColumnTiles, int Steps, int Chunk)
{
    public int ChunksOfTile => (Steps + Chunk - 1) / Chunk;

    private S32 RowTiles => K.CeilDivide(Rows, TileRows);

    /// <summary>Where the run of a block begins; that of the block behind the last ends all. No run is empty, as there are no more blocks than chunks.</summary>
    public S32 Start(S32 block) => block * (RowTiles * (ColumnTiles * ChunksOfTile)) / K.GridDimX;

    public void ForEach(Action<DepthPart> work)
    {
        var (rowTiles, at, end) = (RowTiles, K.Var(Start(K.BlockIdX)), Start(K.BlockIdX + 1));
        K.While(() => at.Value < end, () =>
        {
            var chunk = at.Value;
            var tile = chunk / ChunksOfTile;
            var (start, column) = (tile * ChunksOfTile, tile / rowTiles);
            var stop = K.Min(end - start, ChunksOfTile);
            work(new DepthPart(new TilePlace((tile - column * rowTiles) * TileRows, column, Rows), (chunk - start) * Chunk, K.Min(stop * Chunk, Steps), start + ChunksOfTile));
            at.Value = start + stop;
        });
    }
}
