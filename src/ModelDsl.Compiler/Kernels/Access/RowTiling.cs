using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>
/// How warps share a row. The row is cut into tiles of 32 lanes times <see cref="PerLane"/> elements; tile <c>t</c> of a block
/// belongs to warp <c>t % Warps</c>. Within a tile a lane holds <see cref="VectorsPerLane"/> vectors, each 32 vectors after the other,
/// so that a warp always touches neighbouring bytes.
/// </summary>
/// <param name="Width">Elements of the row.</param>
/// <param name="Vector">Elements per load; divides <paramref name="Width"/>, so that a vector is in the row or outside of it.</param>
/// <param name="PerLane">Elements of a tile that one lane holds.</param>
/// <param name="Warps">Warps of a block.</param>
internal sealed record RowTiling(int Width, int Vector, int PerLane, int Warps)
{
    public const int Group = 128;

    private const int Lanes = 32;
    private const int MostWarps = 32;

    public int VectorsPerLane => PerLane / Vector;

    public int TileWidth => Lanes * PerLane;

    /// <summary>Tiles of a whole row.</summary>
    public int Tiles => Ceil(Width, TileWidth);

    public int Threads => Warps * Lanes;

    /// <summary>Tiles that each warp takes where several blocks share a row.</summary>
    public int Share { get; init; } = 1;

    /// <summary>Blocks that cover a row when each warp takes its share.</summary>
    public int BlocksPerRow => Ceil(Tiles, Warps * Share);

    /// <summary>Tiles per warp when one block takes the whole row.</summary>
    public int TilesPerWarp => Ceil(Tiles, Warps);

    /// <summary>Lanes that share a 1 x 128 group: a group never leaves the warp.</summary>
    public int LanesPerGroup => Group / PerLane;

    /// <summary>One block per row, for kernels that need a sum over it: at most 32 elements per lane up to a width of 32768.</summary>
    public static RowTiling WholeRow(int width, DType io, bool grouped, params int[] distances)
    {
        var (vector, perLane) = Lane(width, io, grouped, distances);
        var tiles = Ceil(width, Lanes * perLane);
        return new RowTiling(width, vector, perLane, Math.Min(MostWarps, Ceil(tiles, Math.Max(1, 32 / perLane))));
    }

    /// <summary>One tile per warp and up to four warps per block, for kernels whose elements do not depend on each other.</summary>
    public static RowTiling Streaming(int width, DType io, bool grouped, params int[] distances)
    {
        var (vector, perLane) = Lane(width, io, grouped, distances);
        return new RowTiling(width, vector, perLane, Math.Min(4, Ceil(width, Lanes * perLane)));
    }

    /// <summary>
    /// Two tiles per warp, so that a lane has two vectors under way, and as many warps per block, up to eight, as leave least of them idle; for kernels that spend much on each tile.
    /// </summary>
    public static RowTiling InPairs(int width, DType io, bool grouped, params int[] distances)
    {
        var (vector, perLane) = Lane(width, io, grouped, distances);
        var pairs = Ceil(width, 2 * Lanes * perLane);
        if (pairs < 2) return Streaming(width, io, grouped, distances);
        var warps = Enumerable.Range(1, Math.Min(8, pairs)).OrderBy(count => Ceil(pairs, count) * count).ThenByDescending(count => count).First();
        return new RowTiling(width, vector, perLane, warps) { Share = 2 };
    }

    private static (int Vector, int PerLane) Lane(int width, DType io, bool grouped, int[] distances)
    {
        var vector = VectorWidth.Of(io, [width, .. distances]);
        return (vector, grouped ? Math.Max(vector, Group / Lanes) : vector);
    }

    private static int Ceil(int value, int size) => (value + size - 1) / size;
}
