using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// The way of a warpgroup's sums to memory where its 64 rows are columns of C: rounded, turned on the way to shared memory, then by tensor stores, which clip
/// what is outside of C and run while the next tile is multiplied.
/// </summary>
/// <param name="Tile">This warpgroup's: swizzled rows of 128 bytes, 64 columns of BF16 or twice 32 of FP32.</param>
/// <param name="Rows">Of C.</param>
internal sealed record TransposedStore(KernelBuilder K, SharedPtr<U8> Tile, int Rows, DType Type, S32 Warpgroup)
{
    private const int RowBytes = TileStore.RowBytes, Columns = TileStore.WaveRows;

    private readonly StoreTurn _turn = new(K, Warpgroup);

    /// <param name="sum">A thread's sums: element 4j + 2h + i is column g + 8h of the warp's 16 and row 8j + 2t + i.</param>
    /// <param name="row">First row of the tile in C.</param>
    /// <param name="column">First of the warpgroup's columns.</param>
    public void Store(TensorMapParameter c, Func<int, F32> sum, S32 row, S32 column)
    {
        _turn.Take(() =>
        {
            if (Type == DType.BF16) WriteHalves(sum);
            else WriteSingles(sum);
        }, () =>
        {
            for (var part = 0; part * RowBytes < Columns * Type.Bytes(); part++)
                c.Store(Tile.AddBytes(part * Rows * RowBytes), column + part * (RowBytes / Type.Bytes()), row);
        });
    }

    /// <summary>Until shared memory may be written again, or given up.</summary>
    public void AwaitRead() => _turn.AwaitRead();

    /// <summary>Eight columns of sixteen rows, and the next eight columns, turned by one instruction: lane i has the address of row i % 8 of matrix i / 8.</summary>
    private void WriteHalves(Func<int, F32> sum)
    {
        var (inside, matrix) = (K.LaneId & 7, K.LaneId >> 3);
        var chunk = (K.WarpId & 3) * 2 + (matrix & 1) ^ inside;
        var start = Tile.AddBytes(((matrix >> 1) * 8 + inside) * RowBytes).AddBytes(chunk << 4);
        for (var j = 0; j < Rows / 8; j += 2)
        {
            B32 Pair(int n) => K.ToBF16x2(sum(4 * j + 2 * n), sum(4 * j + 2 * n + 1));
            var turned = start.AddBytes(j * 8 * RowBytes);
            if (j + 1 < Rows / 8) K.StoreMatrix(turned, [Pair(0), Pair(1), Pair(2), Pair(3)], transposed: true);
            else K.StoreMatrix(turned, [Pair(0), Pair(1)], transposed: true);
        }
    }

    private void WriteSingles(Func<int, F32> sum)
    {
        var (g, t) = (K.LaneId >> 2, K.LaneId & 3);
        for (var h = 0; h < 2; h++)
        for (var i = 0; i < 2; i++)
        {
            var column = (K.WarpId & 3) * 16 + g + 8 * h;
            // Rows 8j + 2t + i have the same place in their pattern for all j.
            var inRow = ((column & 31) >> 2 ^ 2 * t + i) << 4;
            var start = Tile.AddBytes((column >> 5) * (Rows * RowBytes)).AddBytes((2 * t + i) * RowBytes).AddBytes(inRow + (column & 3) * 4);
            for (var j = 0; j < Rows / 8; j++) start.AddBytes(j * 8 * RowBytes).As<F32>().Store(sum(4 * j + 2 * h + i));
        }
    }
}
