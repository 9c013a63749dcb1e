using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// The scales of a step: one for each row of the tile and one for its columns, copied in the background like the operands.
/// </summary>
internal sealed class ScaleCopy
{
    private readonly KernelBuilder _k;
    private readonly TensorTile _tile;
    private readonly SharedPtr<F32> _scales;
    private readonly GlobalPtr<F32> _rowScales;
    private readonly GlobalPtr<F32> _columnScale;
    private readonly S32 _row, _stride;
    private readonly Pred _hasRow;
    private readonly Pred _isFirst;

    public ScaleCopy(GemmProblem p, TensorTile tile, SharedPtr<U8> shared)
    {
        (_k, _tile, _scales) = (p.K, tile, shared.As<F32>());
        var scales = p.Scales ?? throw new ArgumentException("the operands are not quantised", nameof(p));
        _hasRow = _k.ThreadIdX < tile.Rows;
        _isFirst = _k.ThreadIdX == 0;
        (_rowScales, _stride) = (scales.A, scales.Stride);
        _row = _k.Min(p.FirstRow + _k.ThreadIdX, p.EndRow - 1);
        _columnScale = scales.W.Row(p.FirstColumn / BlockScales.Block, scales.Columns);
    }

    public void Start(S32 step, S32 stage)
    {
        var to = _scales.As<U8>().AddBytes(stage).As<F32>();
        _k.CopyAsync(to + _k.ThreadIdX, _rowScales + (step * _stride + _row), 4, predicate: _hasRow);
        _k.CopyAsync(to + _tile.Rows, _columnScale + step, 4, predicate: _isFirst);
    }

    /// <summary>What the sums of one <c>mma</c> row tile are multiplied by: for its upper and its lower eight rows.</summary>
    public (F32 Upper, F32 Lower) Factors(S32 stage, S32 warpRow, int tileRow)
    {
        var at = _scales.As<U8>().AddBytes(stage).As<F32>();
        var mine = at + (warpRow + _k.LaneId / 4);
        var column = at.Load(_tile.Rows);
        return (mine.Load(tileRow * 16) * column, mine.Load(tileRow * 16 + 8) * column);
    }
}
