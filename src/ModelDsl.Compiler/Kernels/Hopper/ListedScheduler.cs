using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>Tiles of rows by the list that dispatch makes (<see cref="ExpertTiles"/>), each by all columns; entries that are unused are left out.</summary>
/// <param name="Rows">Of all groups.</param>
/// <param name="Entries">Of the list.</param>
internal sealed record ListedScheduler(
    KernelBuilder K, GlobalPtr<S32> Offsets, GlobalPtr<S32> GroupOfEntry, GlobalPtr<S32> RowOfEntry, S32 Rows, S32 Entries, int TileRows, int ColumnTiles, int Band) : TileScheduler(K, TileRows, ColumnTiles)
{
    public override void ForEach(Action<TilePlace> work)
    {
        var bands = new TileBands(K, Entries, ColumnTiles, Band);
        K.For(K.BlockIdX, bands.Tiles, K.GridDimX, tile =>
        {
            var (entry, column) = bands.Place(tile);
            var group = GroupOfEntry.Load(entry);
            K.If(group >= 0, () => work(new TilePlace(RowOfEntry.Load(entry), column, Rows, group) { End = Offsets.Load(group + 1) }), uniform: true);
        }, nounroll: true);
    }
}
