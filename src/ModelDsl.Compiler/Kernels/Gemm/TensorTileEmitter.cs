using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// One tile of C on tensor cores: <c>cp.async</c> fills a ring of stages, <c>ldmatrix</c> feeds <c>mma.sync</c>. BF16 and FP8 have the same
/// geometry in bytes: 32 per <c>mma</c>. FP8 products are summed over 128 of the depth by themselves, then scaled and added in FP32
/// (V3 report, section 3.3.2).
/// </summary>
/// <remarks>Per block and step: 128 bytes of each of its rows and columns are read, 2·Rows·Columns·Depth FLOPs done in all.</remarks>
internal sealed class TensorTileEmitter
{
    private const int StepBytes = TensorTile.StepBytes;

    private readonly GemmProblem _p;
    private readonly KernelBuilder _k;
    private readonly TensorTile _tile;
    private readonly int _steps;
    private readonly int _stageBytes;
    private readonly SharedPtr<U8> _shared;
    private readonly TileCopy _copyA;
    private readonly TileCopy _copyW;
    private readonly ScaleCopy? _copyScales;
    private readonly WarpFragments _fragments;

    public TensorTileEmitter(GemmProblem problem, TensorTile tile)
    {
        (_p, _k, _tile) = (problem, problem.K, tile);
        _steps = (problem.DepthBytes + StepBytes - 1) / StepBytes;
        _stageBytes = tile.StageBytes(problem.Scales is not null);
        _shared = _k.DynamicShared<U8>(tile.SharedBytes(problem.Scales is not null), align: 128);
        var a = new SwizzledTile<U8>(_shared, StepBytes);
        var w = new SwizzledTile<U8>(_shared.AddBytes(tile.Rows * StepBytes), StepBytes);
        _k.Comment($"Tile of {tile.Rows} x {tile.Columns}: where each thread copies from and to.");
        _copyA = new TileCopy(_k, tile.Threads, TileLayout.Swizzled(a), tile.Rows, problem.A.VectorBytes, problem.ARow)
        {
            StepBytes = StepBytes, Remaining = problem.DepthRemaining(StepBytes),
        };
        _copyW = problem.Transposed ? CopyTransposed(w) : new TileCopy(
            _k, tile.Threads, TileLayout.Swizzled(w), tile.Columns, problem.W.VectorBytes, row => problem.WRow(row, tile.Columns))
        {
            StepBytes = StepBytes, Remaining = problem.DepthRemaining(StepBytes),
        };
        _copyScales = problem.Scales is null
            ? null
            : new ScaleCopy(problem, tile, _shared.AddBytes((tile.Rows + tile.Columns) * StepBytes));
        _fragments = new WarpFragments(_k, tile, a, w, problem.Transposed);
    }

    public void Emit()
    {
        var (down, across) = (_tile.WarpRows / 16, _tile.WarpColumns / 8);
        var sums = new Var<F32>[down, across][];
        for (var i = 0; i < down; i++)
        for (var j = 0; j < across; j++)
            sums[i, j] = _k.Vars<F32>(4, 0f);

        var roomy = _copyScales is null || _steps <= 2 || _p.DepthBytes % StepBytes == 0;
        new StageRing(_k, _tile.Stages, _stageBytes, _steps) { WritesOut = roomy }.Run(Start, stage =>
        {
            if (_copyScales is null) Multiply(stage, sums);
            else MultiplyScaled(stage, sums);
        });

        _k.Comment("Store.");
        Epilogue.Store(_p, _tile, sums);
    }

    private void Start(S32 step, S32 stage)
    {
        _copyA.Start(step, stage);
        _copyW.Start(step, stage);
        _copyScales?.Start(step, stage);
    }

    private void Multiply(S32 stage, Var<F32>[,][] sums)
    {
        var (down, across) = (sums.GetLength(0), sums.GetLength(1));
        for (var s = 0; s < StepBytes / 32; s++)
        {
            var w = Enumerable.Range(0, across / 2).SelectMany(pair => _fragments.LoadW(stage, s, pair)).ToArray();
            for (var i = 0; i < down; i++)
            {
                var a = _fragments.LoadA(stage, s, i);
                for (var j = 0; j < across; j++) _k.Mma(MmaShape.BF16, sums[i, j], a, w[j]);
            }
        }
    }

    /// <summary>
    /// Sixteen columns at a time: Hopper has no FP8 <c>mma.sync</c>, its assembler widens the fragments to FP16, and they must still fit.
    /// The warp barriers keep it from loading everything first.
    /// </summary>
    private void MultiplyScaled(S32 stage, Var<F32>[,][] sums)
    {
        var parts = Enumerable.Range(0, StepBytes / 32).ToArray();
        var factors = Enumerable.Range(0, sums.GetLength(0)).Select(i => _copyScales!.Factors(stage, _fragments.WarpRow, i)).ToArray();
        for (var pair = 0; pair < sums.GetLength(1) / 2; pair++)
        {
            _k.SyncWarp();
            var w = parts.Select(part => _fragments.LoadW(stage, part, pair)).ToArray();
            for (var i = 0; i < factors.Length; i++)
            {
                _k.SyncWarp();
                F32[][] blocks = [[0f, 0f, 0f, 0f], [0f, 0f, 0f, 0f]];
                foreach (var part in parts)
                {
                    var a = _fragments.LoadA(stage, part, i);
                    for (var j = 0; j < 2; j++) blocks[j] = _k.Mma(MmaShape.E4M3, blocks[j], a, w[part][j]);
                }

                for (var j = 0; j < 2; j++)
                for (var e = 0; e < 4; e++)
                {
                    var sum = sums[i, pair * 2 + j][e];
                    sum.Value = _k.Fma(blocks[j][e], e < 2 ? factors[i].Upper : factors[i].Lower, sum.Value);
                }
            }
        }
    }

    /// <summary>W as stored [K, N]: a step is so many rows of it, and the tile's columns are its row's bytes.</summary>
    private TileCopy CopyTransposed(SwizzledTile<U8> w)
    {
        var bytes = _p.W.Type.Bytes();
        var depth = StepBytes / bytes;
        if (_tile.Columns * bytes != StepBytes)
            throw new PtxException($"a transposed operand needs tiles of {depth} columns, not {_tile.Columns}");
        var wide = _p.N % _tile.Columns == 0;
        var deep = _p.Depth % depth == 0;
        var firstByte = _p.FirstColumn * bytes;
        return new TileCopy(_k, _tile.Threads, TileLayout.Swizzled(w), depth, _p.W.VectorBytes, row => _p.W.Row(row) + firstByte)
        {
            StepBytes = (long)depth * _p.W.RowElements * bytes,
            Remaining = (step, row, column) =>
            {
                if (wide && deep) return null;
                var rows = _p.Depth - step * depth - row;
                var columns = _p.N * bytes - firstByte - column;
                return deep ? columns : wide ? rows : _k.Min(rows, columns);
            },
        };
    }
}
