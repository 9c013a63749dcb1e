using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// One tile of C in FP32 on ordinary cores: both operands go through shared memory along the depth, a thread reads four of the depth at
/// once and keeps its sums in registers. A may be BF16: it is widened on its way.
/// </summary>
internal sealed class SimtTileEmitter
{
    private const int Vector = 4;

    private readonly GemmProblem _p;
    private readonly KernelBuilder _k;
    private readonly SimtTile _tile;
    private readonly SharedPtr<U8> _shared;
    private readonly Action<S32, S32> _startA;
    private readonly Action<S32, S32> _startW;

    public SimtTileEmitter(GemmProblem problem, SimtTile tile)
    {
        (_p, _k, _tile) = (problem, problem.K, tile);
        _shared = _k.DynamicShared<U8>(tile.SharedBytes, align: 128);
        var w = _shared.AddBytes(tile.Rows * SimtTile.Pitch * 4);
        _k.Comment($"Tile of {tile.Rows} x {tile.Columns}: where each thread copies from and to.");
        _startA = problem.A.Type == DType.BF16
            ? new WideningCopy(problem, tile, _shared).Start
            : Copy(_shared, tile.Rows, problem.A.VectorBytes, problem.ARow).Start;
        _startW = problem.Transposed
            ? new TransposingCopy(problem, tile, w).Start
            : Copy(w, tile.Columns, problem.W.VectorBytes, row => problem.WRow(row, tile.Columns)).Start;
    }

    public void Emit()
    {
        var sums = new Var<F32>[_tile.ThreadRows, _tile.ThreadColumns];
        for (var i = 0; i < _tile.ThreadRows; i++)
        for (var j = 0; j < _tile.ThreadColumns; j++)
            sums[i, j] = _k.Var<F32>(0f);

        var (down, across) = (_k.ThreadIdX / _tile.ThreadsAcross, _k.ThreadIdX % _tile.ThreadsAcross);
        var a = _shared.As<F32>().Row(down, SimtTile.Pitch);
        var w = _shared.AddBytes(_tile.Rows * SimtTile.Pitch * 4).As<F32>().Row(across, SimtTile.Pitch);
        new StageRing(_k, SimtTile.Stages, _tile.StageBytes, (_p.Depth + SimtTile.Step - 1) / SimtTile.Step).Run(
            (step, stage) =>
            {
                _startA(step, stage);
                _startW(step, stage);
            },
            stage => Multiply(a.As<U8>().AddBytes(stage).As<F32>(), w.As<U8>().AddBytes(stage).As<F32>(), sums));

        _k.Comment("Store.");
        for (var i = 0; i < _tile.ThreadRows; i++)
        {
            var row = _p.FirstRow + down + i * _tile.ThreadsDown;
            var column = _p.FirstColumn + across;
            var to = _p.C.Row(row) + column * _p.C.Type.Bytes();
            var exists = row < _p.EndRow;
            for (var j = 0; j < _tile.ThreadColumns; j++)
            {
                var step = j * _tile.ThreadsAcross;
                var inside = _p.N % _tile.Columns == 0 ? exists : exists & (column + step < _p.N);
                Epilogue.StoreOne(_p, to.AddBytes(step * _p.C.Type.Bytes()), sums[i, j].Value, inside);
            }
        }
    }

    private void Multiply(SharedPtr<F32> a, SharedPtr<F32> w, Var<F32>[,] sums)
    {
        for (var depth = 0; depth < SimtTile.Step; depth += Vector)
        {
            var columns = Enumerable.Range(0, _tile.ThreadColumns)
                .Select(j => w.LoadVector(Vector, j * _tile.ThreadsAcross * SimtTile.Pitch + depth)).ToArray();
            for (var i = 0; i < _tile.ThreadRows; i++)
            {
                var row = a.LoadVector(Vector, i * _tile.ThreadsDown * SimtTile.Pitch + depth);
                for (var j = 0; j < columns.Length; j++)
                for (var e = 0; e < Vector; e++)
                    sums[i, j].Value = _k.Fma(row[e], columns[j][e], sums[i, j].Value);
            }
        }
    }

    private TileCopy Copy(SharedPtr<U8> to, int rows, int vector, Func<S32, GlobalPtr<U8>> source) =>
        new(_k, _tile.Threads, TileLayout.Padded(to, SimtTile.Step * 4, SimtTile.Pitch * 4), rows, vector, source)
        {
            StepBytes = SimtTile.Step * 4, Remaining = _p.DepthRemaining(SimtTile.Step * 4, 4),
        };
}

/// <summary>
/// A in BF16, widened to FP32 on its way to shared memory, element by element: neighbouring threads take neighbours of a row.
/// </summary>
internal sealed class WideningCopy(GemmProblem p, SimtTile tile, SharedPtr<U8> to)
{
    public void Start(S32 step, S32 stage)
    {
        var k = p.K;
        var (row, column) = (k.ThreadIdX / SimtTile.Step, k.ThreadIdX % SimtTile.Step);
        var rowStep = tile.Threads / SimtTile.Step;
        var destination = (to.As<F32>().Row(row, SimtTile.Pitch) + column).As<U8>().AddBytes(stage).As<F32>();
        var depth = step * SimtTile.Step + column;
        var inside = p.Depth % SimtTile.Step == 0 ? (Pred)true : depth < p.Depth;
        for (var i = 0; i < tile.Rows; i += rowStep)
        {
            var value = (p.ARow(row + i).As<BF16>() + depth).As<B16>().LoadOr(inside, (ushort)0).As<BF16>();
            destination.Store(k.ToF32(value), i * SimtTile.Pitch);
        }
    }
}

/// <summary>W as stored [K, N], turned on its way to shared memory: neighbouring threads take neighbouring columns of a row.</summary>
internal sealed class TransposingCopy(GemmProblem p, SimtTile tile, SharedPtr<U8> to)
{
    public void Start(S32 step, S32 stage)
    {
        var k = p.K;
        var (depth, column) = (k.ThreadIdX / tile.Columns, k.ThreadIdX % tile.Columns);
        var depthStep = tile.Threads / tile.Columns;
        var destination = to.AddBytes(stage).As<F32>().Row(column, SimtTile.Pitch) + depth;
        var source = p.W.Row(step * SimtTile.Step + depth).As<F32>() + (p.FirstColumn + column);
        var wide = p.N % tile.Columns == 0 ? (Pred)true : p.FirstColumn + column < p.N;
        for (var i = 0; i < SimtTile.Step; i += depthStep)
        {
            var inside = p.Depth % SimtTile.Step == 0 ? wide : wide & (step * SimtTile.Step + depth + i < p.Depth);
            var bytes = inside.Constant == true ? null : k.Select<S32>(inside, 4, 0);
            k.CopyAsync(destination + i, source.Row(i, p.W.RowElements), 4, bytes);
        }
    }
}
