using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// Up to four rows of C in FP32 on ordinary cores. Eight lanes share the depth of a row of W, so that they read 128 neighbouring bytes;
/// a lane works on four rows of W at once. Nothing goes through shared memory. A may be BF16.
/// </summary>
internal sealed class SkinnySimtEmitter
{
    public const int Rows = 4;

    /// <summary>Most sums per lane.</summary>
    public const int Sums = LaneColumns * Rows;

    private const int Lanes = 8;
    private const int LaneColumns = 4;
    private const int ChunkDepth = Lanes * 4;

    private readonly GemmProblem _p;
    private readonly KernelBuilder _k;
    private readonly SkinnyTile _tile;
    private readonly SkinnyWork _work;
    private readonly int _vector;
    private readonly S32 _lane;
    private readonly GlobalPtr<F32>[] _weights;

    public SkinnySimtEmitter(GemmProblem problem, SkinnyTile tile)
    {
        (_p, _k, _tile) = (problem, problem.K, tile);
        _work = new SkinnyWork(problem, tile, Sums);
        _vector = Math.Min(problem.W.VectorBytes / 4, problem.A.VectorBytes / problem.A.Type.Bytes());
        _lane = _k.LaneId % Lanes;
        var group = _k.LaneId / Lanes;
        _weights = [.. Enumerable.Range(0, LaneColumns).Select(j => WeightRow(group + j * LaneColumns) + _lane * _vector)];
    }

    public void Emit() => _k.If(_p.EndRow - _p.FirstRow == 1, () => Emit(1), () => Emit(Rows), uniform: true);

    private void Emit(int rows)
    {
        var sums = _k.Vars<F32>(LaneColumns * rows, 0f);
        var sources = Enumerable.Range(0, rows).Select(m => _p.ARow(m) + _lane * (_vector * _p.A.Type.Bytes())).ToArray();
        _work.ForUnits(_p.Depth * 4, (unit, bytes) => Unit(unit, bytes / 4, sources, sums));

        _k.Comment("Eight lanes to one sum.");
        foreach (var sum in sums) sum.Value = _k.WarpReduceSum(sum.Value, Lanes);
        _work.Finish(sums, () => Store(rows, sums));
    }

    private void Unit(S32 unit, int depth, GlobalPtr<U8>[] sources, Var<F32>[] sums)
    {
        const int unitDepth = SkinnyTile.UnitBytes / 4;
        var weights = _weights.Select(w => w.Row(unit, unitDepth)).ToArray();
        var rows = sources.Select(s => s.Row(unit, unitDepth * _p.A.Type.Bytes())).ToArray();
        for (var start = 0; start < depth; start += ChunkDepth)
        for (var piece = start; piece < start + ChunkDepth; piece += Lanes * _vector)
        {
            if (piece >= depth) break;
            var inside = piece + Lanes * _vector <= depth ? (Pred)true : _lane * _vector + piece < depth;
            var w = weights.Select(p => p.LoadVectorOr(inside, 0f, _vector, piece, LoadHint.Streaming)).ToArray();
            for (var m = 0; m < rows.Length; m++)
            {
                var a = LoadRow(rows[m].AddBytes(piece * _p.A.Type.Bytes()), inside);
                for (var j = 0; j < LaneColumns; j++)
                for (var e = 0; e < _vector; e++)
                    sums[m * LaneColumns + j].Value = _k.Fma(w[j][e], a[e], sums[m * LaneColumns + j].Value);
            }
        }
    }

    private F32[] LoadRow(GlobalPtr<U8> from, Pred inside)
    {
        if (_p.A.Type == DType.F32) return from.As<F32>().LoadVectorOr(inside, 0f, _vector);
        if (_vector == 1) return [_k.ToF32(from.As<B16>().LoadOr(inside, (ushort)0).As<BF16>())];
        var pairs = from.As<B32>().LoadVectorOr(inside, 0u, _vector / 2).Select(pair => _k.ToF32(pair.As<BF16x2>()));
        return [.. pairs.SelectMany(pair => new[] { pair.First, pair.Second })];
    }

    private GlobalPtr<F32> WeightRow(S32 row)
    {
        var column = _work.Column + row;
        return _p.W.Row(_p.N % _tile.Columns == 0 ? column : _k.Min(column, _p.N - 1)).As<F32>();
    }

    /// <summary>Every lane of eight has the sums of four rows; each stores one.</summary>
    private void Store(int rows, Var<F32>[] sums)
    {
        var column = _work.Column + _k.LaneId / Lanes;
        for (var m = 0; m < rows; m++)
        {
            var row = _p.FirstRow + m;
            var to = _p.C.Row(row) + column * _p.C.Type.Bytes();
            var mine = (_lane == m) & (row < _p.EndRow);
            for (var j = 0; j < LaneColumns; j++)
            {
                var step = j * LaneColumns;
                var inside = _p.N % _tile.Columns == 0 ? mine : mine & (column + step < _p.N);
                Epilogue.StoreOne(_p, to.AddBytes(step * _p.C.Type.Bytes()), sums[m * LaneColumns + j].Value, inside);
            }
        }
    }
}
