using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>An order of tiles: bands of <paramref name="Band"/> columns by all rows, columns first.</summary>
internal sealed record TileBands(KernelBuilder K, S32 RowTiles, int ColumnTiles, int Band)
{
    public S32 Tiles => RowTiles * ColumnTiles;

    public (S32 Row, S32 Column) Place(S32 tile)
    {
        var band = tile / (RowTiles * Band);
        var (first, inside) = (band * Band, tile - band * (RowTiles * Band));
        // The last band may be narrower.
        var width = ColumnTiles % Band == 0 ? Band : K.Min(Band, ColumnTiles - first);
        var row = inside / width;
        return (row, first + (inside - row * width));
    }
}
