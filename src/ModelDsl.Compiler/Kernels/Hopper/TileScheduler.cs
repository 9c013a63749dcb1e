using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// A persistent grid: block b of G works on tiles b, b + G, b + 2G … of C. Tiles are counted in groups of <paramref name="Group"/> columns by
/// all rows, columns first, so that what runs at the same time shares rows of A and columns of W in L2.
/// </summary>
/// <param name="RowTiles">Known when the kernel runs.</param>
internal sealed record TileScheduler(KernelBuilder K, S32 RowTiles, int ColumnTiles, int Group)
{
    /// <summary>8 or 16 columns, whichever has the blocks of a wave read fewer rows and columns.</summary>
    public static int BestGroup(int blocks, int tileRows, int tileColumns)
    {
        int Read(int group) => group * tileColumns + (blocks + group - 1) / group * tileRows;
        return Read(8) <= Read(16) ? 8 : 16;
    }

    /// <param name="work">Gets the row and the column of a tile, counted in tiles.</param>
    public void ForEach(Action<S32, S32> work) => K.For(K.BlockIdX, RowTiles * ColumnTiles, K.GridDimX, tile =>
    {
        var group = tile / (RowTiles * Group);
        var (first, inside) = (group * Group, tile - group * (RowTiles * Group));
        // The last group may be narrower.
        var width = ColumnTiles % Group == 0 ? Group : K.Min(Group, ColumnTiles - first);
        var row = inside / width;
        work(row, first + (inside - row * width));
    }, nounroll: true);
}
