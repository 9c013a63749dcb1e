using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>A warp's 16 rows of a product, as BF16 in shared memory: columns of 64 elements one behind the other, each in swizzled rows of 128 bytes.</summary>
internal static class SwizzledRows
{
    public const int RowBytes = 128;

    /// <summary>Where 16 bytes of a row lie in it; the pattern repeats every eight rows.</summary>
    public static S32 Chunk(S32 row, S32 chunk) => (chunk ^ (row & 7)) << 4;

    /// <summary>Two times eight columns of 16 rows by one instruction: lane i has the address of row i % 16 in the first eight or the second.</summary>
    /// <param name="tile">The first column.</param>
    /// <param name="firstRow">Of the warp's, in the tile.</param>
    /// <param name="columnBytes">From one column of 64 elements to the next.</param>
    /// <param name="columns">Elements, a multiple of 16.</param>
    /// <param name="value">Element 4j + 2h + i is column 8j + 2t + i of row g + 8h.</param>
    public static void Write(KernelBuilder k, SharedPtr<U8> tile, S32 firstRow, int columnBytes, int columns, Func<int, F32> value)
    {
        var (row, twist) = (Row(k, tile, firstRow), Twist(k));
        for (var j = 0; j < columns / 8; j += 2)
        {
            B32 Pair(int n) => k.ToBF16x2(value(4 * j + 2 * n), value(4 * j + 2 * n + 1));
            k.StoreMatrix(row.AddBytes(j / 8 * columnBytes).AddBytes(twist ^ ((j % 8) << 4)), [Pair(0), Pair(1), Pair(2), Pair(3)]);
        }
    }

    /// <summary>16 columns of the warp's rows, as a product takes A from registers; for parameters see <see cref="Write"/>.</summary>
    /// <param name="column">The first of them, a multiple of 16.</param>
    public static B32[] Read(KernelBuilder k, SharedPtr<U8> tile, S32 firstRow, int columnBytes, int column) =>
        k.LoadMatrix(Row(k, tile, firstRow).AddBytes(column / 64 * columnBytes).AddBytes(Twist(k) ^ (column % 64 / 8 << 4)), 4);

    private static SharedPtr<U8> Row(KernelBuilder k, SharedPtr<U8> tile, S32 firstRow) => tile.AddBytes((firstRow + (k.LaneId & 15)) * RowBytes);

    private static S32 Twist(KernelBuilder k) => ((k.LaneId >> 4) ^ (k.LaneId & 7)) << 4;
}
