using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// The scales of a tile, one for each of its rows of A and one for its rows of W, as a warp copies them step by step: they lie row-major, and so in columns of 4 bytes that no tensor
/// map can take. Lanes take rows in turn; what is beyond the rows there are becomes zero.
/// </summary>
internal sealed class ScaleCopies
{
    public const int Lanes = 32;

    private readonly KernelBuilder _k;
    private readonly int _rows;
    private readonly GlobalPtr<F32>[] _from;
    private readonly S32[] _bytes;
    private readonly GlobalPtr<F32> _fromW;

    /// <param name="a">Of the rows that <paramref name="place"/> counts.</param>
    /// <param name="rows">Of a tile.</param>
    /// <param name="columns">Rows of W that a tile has.</param>
    /// <param name="steps">Along K, scales of a row.</param>
    public ScaleCopies(KernelBuilder k, TilePlace place, GlobalPtr<F32> a, GlobalPtr<F32> w, int rows, int columns, int steps)
    {
        (_k, _rows) = (k, rows);
        var first = place.Row * rows + k.LaneId;
        var mine = Enumerable.Range(0, (rows + Lanes - 1) / Lanes).Select(n => first + n * Lanes).ToArray();
        _from = [.. mine.Select(row => a.Row(k.Min(row, place.Rows - 1), steps))];
        _bytes = [.. mine.Select(row => k.Select<S32>(row < place.Rows, sizeof(float), 0))];
        _fromW = w.Row(place.Column * columns / BlockScales.Block, steps);
    }

    /// <summary>Starts the copies of a step: those of A, then the one of W.</summary>
    public void Start(SharedPtr<F32> to, S32 step)
    {
        for (var n = 0; n < _from.Length; n++)
            _k.CopyAsync(to + (_k.LaneId + n * Lanes), _from[n] + step, sizeof(float), _bytes[n], predicate: _rows < Lanes ? _k.LaneId < _rows : true);
        _k.CopyAsync(to + _rows, _fromW + step, sizeof(float), predicate: _k.LaneId == 0);
    }
}
