using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>One vector of a lane: <paramref name="Offset"/> elements after <see cref="RowWalk.Start"/>, if it is in the row at all.</summary>
/// <param name="Inside">A constant wherever the shape decides it.</param>
internal sealed record RowPiece(int Offset, Pred Inside);

/// <summary>A tiling as a thread of a kernel sees it.</summary>
internal sealed class RowWalk
{
    private readonly RowTiling _tiling;
    private readonly int _lastWarp;

    private RowWalk(RowTiling tiling, S32 start) => (_tiling, Start) = (tiling, start);

    private RowWalk(KernelBuilder k, RowTiling tiling, S32 block, int blocks)
    {
        var tilesOfBlock = tiling.Warps * tiling.Share;
        (_tiling, _lastWarp) = (tiling, (blocks - 1) * tilesOfBlock + tiling.Warps - 1);
        var first = block * (tilesOfBlock * tiling.TileWidth);
        Start = tiling.VectorsPerLane == 1
            ? first + k.ThreadIdX * tiling.Vector
            : first + (tiling.Warps == 1 ? 0 : k.WarpId * tiling.TileWidth) + k.LaneId * tiling.Vector;
    }

    /// <summary>The block takes a whole row, tile after tile.</summary>
    public static RowWalk OfBlock(KernelBuilder k, RowTiling tiling) => new(k, tiling, 0, 1);

    /// <summary>Each warp of the block takes a row of its own; the tiling is that of one warp.</summary>
    public static RowWalk OfWarp(KernelBuilder k, RowTiling tiling) => new(tiling, k.LaneId * tiling.Vector);

    /// <summary>Blocks along y share a row; each warp takes its share of tiles.</summary>
    public static RowWalk OfGrid(KernelBuilder k, RowTiling tiling) =>
        new(k, tiling, tiling.BlocksPerRow == 1 ? 0 : k.BlockIdY, tiling.BlocksPerRow);

    /// <summary>Element of the lane's first vector.</summary>
    public S32 Start { get; }

    /// <summary>The vectors that the lane holds of the warp's <paramref name="tile"/>-th tile.</summary>
    public IReadOnlyList<RowPiece> Pieces(int tile) =>
        [.. Enumerable.Range(0, _tiling.VectorsPerLane).Select(j => Piece(Offset(tile) + j * 32 * _tiling.Vector))];

    /// <summary>All vectors of the lane.</summary>
    public IReadOnlyList<RowPiece> AllPieces => [.. Enumerable.Range(0, _tiling.TilesPerWarp).SelectMany(Pieces)];

    /// <summary>Elements from a warp's first tile to another one.</summary>
    public int Offset(int tile) => tile * _tiling.Warps * _tiling.TileWidth;

    private RowPiece Piece(int offset)
    {
        var furthest = _lastWarp * _tiling.TileWidth + 31 * _tiling.Vector + offset;
        return new RowPiece(offset, furthest < _tiling.Width ? true : Start < _tiling.Width - offset);
    }
}
