using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// The way of a warpgroup's 64 rows of sums to global memory where only some of the rows are there to be written, and what follows them is somebody else's: rounded to
/// BF16, through shared memory in swizzled rows of 128 bytes, then in pieces of 16 bytes that make up whole rows.
/// </summary>
/// <param name="Room">64 rows for each 64 columns, which nobody else needs any more.</param>
/// <param name="ColumnBytes">From 64 columns to the next.</param>
/// <param name="BarrierId">A barrier of the warpgroup's own.</param>
internal sealed record RowStore(KernelBuilder K, SharedPtr<U8> Room, int ColumnBytes, S32 BarrierId)
{
    private const int RowBytes = SwizzledRows.RowBytes, WarpRows = 16, Piece = 16;

    /// <param name="sum">A thread's sums: element 4j + 2h + i is column 8j + 2t + i of row g + 8h.</param>
    /// <param name="columns">A multiple of 64.</param>
    /// <param name="to">The first row of the warpgroup; rows start at multiples of 16 bytes.</param>
    /// <param name="stride">Elements from row to row.</param>
    /// <param name="rows">Rows there are.</param>
    public void Store(Func<int, F32> sum, int columns, GlobalPtr<BF16> to, int stride, S32 rows)
    {
        K.Barrier(BarrierId, 128);
        var warpRow = (K.WarpId & 3) * WarpRows;
        SwizzledRows.Write(K, Room, warpRow, ColumnBytes, columns, sum);
        K.SyncWarp();
        // Eight lanes to a row of 128 bytes, so that four rows go at once.
        var (piece, inside) = (K.LaneId & 7, K.LaneId >> 3);
        for (var c = 0; c < columns / 64; c++)
            for (var first = 0; first < WarpRows; first += 4)
            {
                var row = inside + first;
                var from = Room.AddBytes(c * ColumnBytes).AddBytes((warpRow + row) * RowBytes).AddBytes((piece ^ (row & 7)) * Piece);
                to.Row(warpRow + row, stride).As<B32>().StoreVector(from.As<B32>().LoadVector(4), piece * 4 + c * 32, warpRow + row < rows);
            }
        K.SyncWarp();
    }
}
