using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>Where the rows of a tile lie in shared memory.</summary>
/// <param name="At">The place of (row, byte in row) in the first stage.</param>
/// <param name="RowBytes">Bytes of a row that hold data.</param>
/// <param name="PitchBytes">Distance between rows.</param>
/// <param name="Period">After so many rows, places repeat: <c>Period · PitchBytes</c> further.</param>
internal sealed record TileLayout(Func<S32, S32, SharedPtr<U8>> At, int RowBytes, int PitchBytes, int Period)
{
    public static TileLayout Swizzled(SwizzledTile<U8> tile) => new(tile.At, tile.RowBytes, tile.RowBytes, 8);

    public static TileLayout Padded(SharedPtr<U8> start, int rowBytes, int pitchBytes) =>
        new((row, column) => start.Row(row, pitchBytes).AddBytes(column), rowBytes, pitchBytes, 1);
}

/// <summary>
/// All threads of a block copy one operand's part of a step into shared memory, in pieces as wide as the operand's alignment allows, in
/// the background from four bytes on. Neighbouring threads take neighbouring pieces. What lies beyond the matrix becomes zero.
/// </summary>
internal sealed class TileCopy
{
    private readonly KernelBuilder _k;
    private readonly int _vector;
    private readonly int _rowStep;
    private readonly S32 _firstRow;
    private readonly S32 _column;
    private readonly GlobalPtr<U8>[] _sources;
    private readonly SharedPtr<U8>[] _destinations;
    private readonly Pred? _hasRow;

    /// <param name="rows">Rows of the tile.</param>
    /// <param name="vector">Bytes per piece.</param>
    /// <param name="source">Start of a row of the matrix, by its number in the tile.</param>
    public TileCopy(KernelBuilder k, int threads, TileLayout layout, int rows, int vector, Func<S32, GlobalPtr<U8>> source)
    {
        (_k, _vector) = (k, vector);
        var pieces = layout.RowBytes / vector;
        _rowStep = threads / pieces;
        _firstRow = k.ThreadIdX / pieces;
        _column = k.ThreadIdX % pieces * vector;
        _hasRow = rows % _rowStep == 0 ? null : _firstRow < rows;
        var count = (rows + _rowStep - 1) / _rowStep;
        if (_hasRow is not null && count > 1) throw new PtxException($"{threads} threads do not divide {rows} rows of {pieces} pieces");

        var period = Math.Max(1, layout.Period / _rowStep);
        var turns = Enumerable.Range(0, Math.Min(period, count)).Select(i => layout.At(_firstRow + i * _rowStep, _column)).ToArray();
        _sources = [.. Enumerable.Range(0, count).Select(i => source(_firstRow + i * _rowStep) + _column)];
        _destinations =
            [.. Enumerable.Range(0, count).Select(i => turns[i % period].AddBytes(i / period * period * _rowStep * layout.PitchBytes))];
    }

    /// <summary>From one step to the next, in bytes of the matrix.</summary>
    public required long StepBytes { get; init; }

    /// <summary>Positive where (step, row, byte in row) is in the matrix; null where it surely is.</summary>
    public required Func<S32, S32, S32, S32?> Remaining { get; init; }

    /// <summary>Starts copying one step.</summary>
    /// <param name="step">Its number.</param>
    /// <param name="stage">Byte offset of the stage to fill.</param>
    public void Start(S32 step, S32 stage)
    {
        for (var i = 0; i < _sources.Length; i++)
        {
            var from = step.Constant is { } n ? _sources[i].AddBytes(n * StepBytes) : _sources[i].Row(step, (int)StepBytes);
            Copy(_destinations[i].AddBytes(stage), from, Remaining(step, _firstRow + i * _rowStep, _column));
        }
    }

    private void Copy(SharedPtr<U8> to, GlobalPtr<U8> from, S32? remaining)
    {
        var inside = remaining is null ? (Pred)true : remaining > 0;
        switch (_vector)
        {
            case 1:
                to.StoreIf(_hasRow ?? true, from.LoadOr(inside, U8.Low(0u)));
                break;
            case 2:
                to.As<B16>().StoreIf(_hasRow ?? true, from.As<B16>().LoadOr(inside, (ushort)0));
                break;
            default:
                _k.CopyAsync(to, from, _vector, remaining is null ? null : _k.Select<S32>(inside, _vector, 0), predicate: _hasRow);
                break;
        }
    }
}
