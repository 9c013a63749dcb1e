using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// Up to eight rows of C on tensor cores, with the weights as the sixteen-row operand of <c>mma</c> and the rows of A as its eight columns.
/// Nothing goes through shared memory: a sum does not care in which order its depth is taken, so each lane loads neighbouring bytes of
/// its rows and both operands call them the same places.
/// </summary>
/// <remarks>Reads every weight once per eight rows: N·Depth elements; the rest is small.</remarks>
internal sealed class SkinnyTensorEmitter
{
    public const int Rows = 8;

    /// <summary>Sums per lane.</summary>
    public const int Sums = 4;

    /// <summary>Bytes of a row per chunk: two <c>mma</c>, sixteen bytes for each of the four lanes that share a row.</summary>
    private const int ChunkBytes = 64;

    private readonly GemmProblem _p;
    private readonly KernelBuilder _k;
    private readonly SkinnyWork _work;
    private readonly SkinnyTile _tile;
    private readonly int _vector;
    private readonly GlobalPtr<U8> _upper;
    private readonly GlobalPtr<U8> _lower;
    private readonly GlobalPtr<U8> _row;
    private readonly S32 _laneBytes;
    private readonly Var<F32>[] _sums;

    public SkinnyTensorEmitter(GemmProblem problem, SkinnyTile tile)
    {
        (_p, _k, _tile) = (problem, problem.K, tile);
        _work = new SkinnyWork(problem, tile, Sums);
        _vector = Math.Max(4, Math.Min(problem.A.VectorBytes, problem.W.VectorBytes));
        var (group, quarter) = (_k.LaneId / 4, _k.LaneId % 4);
        _laneBytes = quarter * _vector;
        _upper = WeightRow(group);
        _lower = WeightRow(group + 8);
        _row = problem.ARow(group) + _laneBytes;
        _sums = _k.Vars<F32>(Sums, 0f);
    }

    public void Emit()
    {
        if (_p.Scales is { } scales)
        {
            var token = _k.LaneId % 4 * 2;
            var (first, second) = (RowScales(scales, token), RowScales(scales, token + 1));
            var column = scales.W.Row(_k.Min(_work.Column, _p.N - 1) / BlockScales.Block, scales.Columns);
            _work.ForUnits(_p.DepthBytes, (unit, bytes) => ScaledUnit(unit, bytes, first, second, column));
        }
        else
        {
            _work.ForUnits(_p.DepthBytes, Unit);
        }

        _work.Finish(_sums, Store);
    }

    private void Unit(S32 unit, int bytes)
    {
        foreach (var (upper, lower, row) in LoadChunks(unit, bytes))
            for (var half = 0; half < 2; half++)
                _k.Mma(MmaShape.BF16, _sums, Weights(upper, lower, half), [row[half * 2], row[half * 2 + 1]]);
    }

    /// <summary>Each 128 of the depth is summed by itself, scaled, and added in FP32.</summary>
    private void ScaledUnit(S32 unit, int bytes, GlobalPtr<F32> first, GlobalPtr<F32> second, GlobalPtr<F32> column)
    {
        const int chunksPerBlock = BlockScales.Block / ChunkBytes;
        const int blocksPerUnit = SkinnyTile.UnitBytes / BlockScales.Block;
        var chunks = LoadChunks(unit, bytes);
        for (var start = 0; start < chunks.Count; start += chunksPerBlock)
        {
            var block = unit * blocksPerUnit + start / chunksPerBlock;
            var weight = column.Load(block);
            var (x, y) = (first.Row(block, _p.Scales!.Stride).Load() * weight, second.Row(block, _p.Scales!.Stride).Load() * weight);
            F32[] part = [0f, 0f, 0f, 0f];
            foreach (var (upper, lower, row) in chunks.Skip(start).Take(chunksPerBlock))
                for (var half = 0; half < 2; half++)
                    part = _k.Mma(MmaShape.E4M3, part, Weights(upper, lower, half), [row[half * 2], row[half * 2 + 1]]);
            for (var e = 0; e < 4; e++) _sums[e].Value = _k.Fma(part[e], e % 2 == 0 ? x : y, _sums[e].Value);
        }
    }

    private static B32[] Weights(B32[] upper, B32[] lower, int half) =>
        [upper[half * 2], lower[half * 2], upper[half * 2 + 1], lower[half * 2 + 1]];

    private List<(B32[] Upper, B32[] Lower, B32[] Row)> LoadChunks(S32 unit, int bytes)
    {
        var chunks = new List<(B32[], B32[], B32[])>();
        var (upper, lower, row) = (Moved(_upper, unit), Moved(_lower, unit), Moved(_row, unit));
        for (var start = 0; start < bytes; start += ChunkBytes)
        {
            var weights = (Upper: Load(upper, start, bytes, LoadHint.Streaming), Lower: Load(lower, start, bytes, LoadHint.Streaming));
            chunks.Add((weights.Upper, weights.Lower, Load(row, start, bytes, LoadHint.Default)));
        }

        return chunks;
    }

    private static GlobalPtr<U8> Moved(GlobalPtr<U8> pointer, S32 unit) => pointer.Row(unit, SkinnyTile.UnitBytes);

    /// <summary>The lane's sixteen bytes of a chunk, as four registers; what lies beyond the depth is zero.</summary>
    private B32[] Load(GlobalPtr<U8> from, int start, int bytes, LoadHint hint)
    {
        var registers = new List<B32>();
        for (var piece = start; piece < start + ChunkBytes; piece += 4 * _vector)
        {
            var inside = piece + 4 * _vector <= bytes ? (Pred)true : _laneBytes + piece < bytes;
            registers.AddRange(Narrowest >= 4
                ? from.AddBytes(piece).As<B32>().LoadVectorOr(inside, 0u, _vector / 4, null, hint)
                : [Assembled(from.AddBytes(piece), piece, bytes)]);
        }

        return [.. registers];
    }

    private int Narrowest => Math.Min(_p.A.VectorBytes, _p.W.VectorBytes);

    /// <summary>Four bytes from rows that start anywhere.</summary>
    private B32 Assembled(GlobalPtr<U8> from, int piece, int bytes)
    {
        if (Narrowest == 2)
        {
            B16 Half(int i) => from.As<B16>().LoadOr(_laneBytes + (piece + 2 * i) < bytes, (ushort)0, i);
            return _k.Pack(Half(0), Half(1));
        }

        B32 all = 0u;
        for (var i = 0; i < 4; i++) all |= from.LoadOr(_laneBytes + (piece + i) < bytes, U8.Low(0u), i).As<B32>() << (8 * i);
        return all;
    }

    private GlobalPtr<U8> WeightRow(S32 row)
    {
        var column = _work.Column + row;
        return _p.W.Row(_p.N % _tile.Columns == 0 ? column : _k.Min(column, _p.N - 1)) + _laneBytes;
    }

    private GlobalPtr<F32> RowScales(BlockScales scales, S32 token) =>
        scales.A + _k.Min(_p.FirstRow + token, _p.EndRow - 1);

    /// <summary>A lane has two rows of C, and in each two columns eight apart.</summary>
    private void Store()
    {
        var column = _work.Column + _k.LaneId / 4;
        for (var e = 0; e < 2; e++)
        {
            var row = _p.FirstRow + (_k.LaneId % 4 * 2 + e);
            var to = _p.C.Row(row) + column * Bytes;
            for (var half = 0; half < 2; half++)
            {
                var inside = row < _p.EndRow;
                if (_p.N % _tile.Columns != 0) inside &= column + half * 8 < _p.N;
                Epilogue.StoreOne(_p, to.AddBytes(half * 8 * Bytes), _sums[half * 2 + e].Value, inside);
            }
        }
    }

    private int Bytes => Graph.DTypes.Bytes(_p.C.Type);
}
