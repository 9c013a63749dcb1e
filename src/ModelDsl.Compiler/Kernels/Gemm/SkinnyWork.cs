using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>Who does what in a block with few rows, and how the warps that share a depth come to one sum.</summary>
internal sealed class SkinnyWork
{
    private readonly KernelBuilder _k;
    private readonly SkinnyTile _tile;

    private readonly SharedPtr<F32>? _scratch;

    /// <param name="sums">Most sums per lane that <see cref="Finish"/> will be given.</param>
    public SkinnyWork(GemmProblem problem, SkinnyTile tile, int sums)
    {
        (_k, _tile) = (problem.K, tile);
        Column = problem.FirstColumn + (tile.Deep == 1 ? _k.WarpId : _k.WarpId / tile.Deep) * SkinnyTile.WarpColumns;
        if (tile.Deep == 1 && problem.N % tile.Columns != 0) _k.ReturnIf(Column >= problem.N);
        Share = tile.Deep == 1 ? 0 : _k.WarpId % tile.Deep;
        _scratch = tile.Deep == 1 ? null : _k.DynamicShared<F32>(tile.Threads * sums);
    }

    /// <summary>First of the warp's sixteen columns of C.</summary>
    public S32 Column { get; }

    /// <summary>Which part of the depth the warp takes.</summary>
    public S32 Share { get; }

    /// <summary>Runs <paramref name="unit"/> for the warp's units: (number, bytes of it that exist).</summary>
    public void ForUnits(int depthBytes, Action<S32, int> unit)
    {
        var (full, rest) = (depthBytes / SkinnyTile.UnitBytes, depthBytes % SkinnyTile.UnitBytes);
        if (_tile.Deep == 1 && full <= 2)
        {
            for (var u = 0; u < full; u++) unit(u, SkinnyTile.UnitBytes);
        }
        else
        {
            _k.For(Share, full, _tile.Deep, u => unit(u, SkinnyTile.UnitBytes), nounroll: true);
        }

        if (rest > 0) _k.If(Share == full % _tile.Deep, () => unit(full, rest), uniform: true);
    }

    /// <summary>Adds the sums of the warps that share a depth and hands them to <paramref name="store"/> in one of those warps.</summary>
    public void Finish(Var<F32>[] sums, Action store)
    {
        if (_scratch is null)
        {
            store();
            return;
        }

        _k.Comment($"The sums of {_tile.Deep} warps, in order.");
        var mine = _scratch + _k.ThreadIdX * 4;
        var plane = _tile.Threads * 4;
        _k.If(Share != 0, () =>
        {
            for (var i = 0; i < sums.Length; i += 4) mine.StoreVector([.. sums.Skip(i).Take(4).Select(s => s.Value)], i / 4 * plane);
        }, uniform: true);
        _k.SyncThreads();
        _k.If(Share == 0, () =>
        {
            for (var warp = 1; warp < _tile.Deep; warp++)
            for (var i = 0; i < sums.Length; i += 4)
            {
                var other = mine.LoadVector(4, i / 4 * plane + warp * 32 * 4);
                for (var e = 0; e < 4; e++) sums[i + e].Value = sums[i + e].Value + other[e];
            }

            store();
        }, uniform: true);
    }
}
