using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// All tiles of C once for each group that has any depth: group g's is <c>offsets[g + 1] - offsets[g]</c>, in steps of <paramref name="Step"/>, and begins at the step behind those of the groups before it.
/// </summary>
internal sealed record DepthGroupScheduler(KernelBuilder K, GlobalPtr<S32> Offsets, int Groups, int Step, int Rows, int TileRows, int ColumnTiles, int Band)
    : TileScheduler(K, TileRows, ColumnTiles)
{
    public override void ForEach(Action<TilePlace> work)
    {
        var bands = new TileBands(K, (Rows + TileRows - 1) / TileRows, ColumnTiles, Band);
        var (tile, group, start, end) = (K.Var(K.BlockIdX), K.Var<S32>(0), K.Var<S32>(0), K.Var(Offsets.Load()));
        K.While(() => group.Value < Groups, () =>
        {
            var next = Offsets.Load(group.Value + 1);
            var steps = K.CeilDivide(next - end.Value, Step);
            K.If((tile.Value < bands.Tiles) & (steps > 0), () =>
            {
                var (row, column) = bands.Place(tile.Value);
                work(new TilePlace(row * TileRows, column, Rows, group.Value) { Steps = (start.Value, steps) });
                tile.Value = tile.Value + K.GridDimX;
            }, () =>
            {
                tile.Value = tile.Value - K.Select(steps > 0, bands.Tiles, 0);
                (group.Value, start.Value, end.Value) = (group.Value + 1, start.Value + steps, next);
            }, uniform: true);
        });
    }
}
