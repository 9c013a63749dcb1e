using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Attention;

/// <summary>
/// Copies rows of BF16 from global to shared memory with all threads of a block, in the widest pieces that the layout allows: in the
/// background (<c>cp.async</c>) from four bytes on. Rows that are not there become zero. Neighbouring threads take neighbouring pieces.
/// </summary>
/// <param name="Columns">Elements per row to copy.</param>
/// <param name="Vector">Elements per piece; divides the columns and every distance between rows.</param>
internal sealed record TileLoader(KernelBuilder K, int Threads, int Columns, int Vector)
{
    /// <summary>Smallest power of two of threads that takes a row in one go, a warp at most.</summary>
    private int ThreadsPerRow
    {
        get
        {
            var threads = 1;
            while (threads < 32 && threads * Vector < Columns) threads *= 2;
            return threads;
        }
    }

    /// <summary>Copies <paramref name="rows"/> rows.</summary>
    /// <param name="destination">Row 0, column 0 of the tile.</param>
    /// <param name="stride">Elements from row to row in shared memory; a multiple of eight.</param>
    /// <param name="source">Gives the start of a row, and whether there is one.</param>
    public void Load(SharedPtr<BF16> destination, int stride, int rows, Func<S32, (GlobalPtr<BF16> Row, Pred Exists)> source)
    {
        var perRow = ThreadsPerRow;
        var rowsAtOnce = Threads / perRow;
        var firstRow = K.ThreadIdX / perRow;
        var column = K.ThreadIdX % perRow * Vector;
        for (var start = 0; start < rows; start += rowsAtOnce)
        {
            var row = firstRow + start;
            var (from, exists) = source(row);
            var inTile = rows % rowsAtOnce == 0 ? (Pred)true : row < rows;
            for (var piece = 0; piece < Columns; piece += perRow * Vector)
            {
                var mine = piece + perRow * Vector <= Columns ? inTile : inTile & (column + piece < Columns);
                Copy(destination.Row(row, stride) + (column + piece), from + (column + piece), exists, mine);
            }
        }
    }

    private void Copy(SharedPtr<BF16> to, GlobalPtr<BF16> from, Pred exists, Pred mine)
    {
        if (Vector == 1)
            to.StoreIf(mine, from.LoadOr(exists & mine, K.ToBF16(0f)));
        else
            K.CopyAsync(to, from, Vector * 2, K.Select<S32>(exists, Vector * 2, 0), predicate: mine);
    }

    /// <summary>Zeroes columns [<paramref name="from"/>, <paramref name="to"/>) of a tile: the padding that a matrix instruction reads.</summary>
    public void ZeroColumns(SharedPtr<BF16> tile, int stride, int rows, int from, int to)
    {
        if (from == to) return;
        var zero = K.ToBF16(0f);
        K.For(K.ThreadIdX, rows, Threads, row =>
        {
            for (var column = from; column < to; column++) tile.Row(row, stride).Store(zero, column);
        });
    }
}
