using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>The rows of a tile that are its own, where what follows them is somebody else's.</summary>
/// <param name="C">The matrix.</param>
/// <param name="Columns">Of the matrix, in multiples of 16 bytes.</param>
/// <param name="End">Behind the last of the rows.</param>
internal sealed record TilePart(GlobalPtr<U8> C, int Columns, S32 End);

/// <summary>
/// The way of a warpgroup's sums to memory: rounded, to shared memory in swizzled rows of 128 bytes, then by tensor stores, which clip what is
/// outside of C. The stores run while the next tile is multiplied; the warpgroup waits only before it writes shared memory again.
/// </summary>
/// <param name="Tile">Columns of 128 bytes one behind the other, each with all <paramref name="Rows"/> rows of the block.</param>
/// <param name="Warpgroup">Which of the block's, from 0 on; rows are dealt out in turns of 64.</param>
internal sealed record TileStore(KernelBuilder K, SharedPtr<U8> Tile, int Rows, int Columns, DType Type, S32 Warpgroup, int Warpgroups)
{
    public const int RowBytes = SwizzledRows.RowBytes, WaveRows = 64;

    private int ColumnsOfRow => RowBytes / Type.Bytes();

    private readonly StoreTurn _turn = new(K, Warpgroup);

    private S32 FirstRow(int wave) => Warpgroup * WaveRows + wave * Warpgroups * WaveRows;

    /// <param name="sums">The thread's sums, by wave and element: element 4j + 2h + i is column 8j + 2t + i of row g + 8h.</param>
    /// <param name="adds">To what is there, instead of taking its place.</param>
    /// <param name="waves">Waves of 64 rows.</param>
    /// <param name="row">First row of the block's tile in C.</param>
    /// <param name="group">Coordinates of C behind the row.</param>
    /// <param name="part">What of the tile's rows is to be written; null for all that are in C.</param>
    public void Store(TensorMapParameter c, Func<int, int, F32> sums, int waves, S32 row, S32 column, S32[] group, bool adds = false, TilePart? part = null)
    {
        _turn.Take(() =>
        {
            for (var wave = 0; wave < waves; wave++)
                if (Type == DType.BF16) WriteHalves(sums, wave);
                else WriteSingles(sums, wave);
        }, () =>
        {
            for (var wave = 0; wave < waves; wave++)
                for (var strip = 0; strip * ColumnsOfRow < Columns; strip++)
                {
                    var from = Tile.AddBytes(strip * Rows * RowBytes).AddBytes(FirstRow(wave) * RowBytes);
                    S32[] at = [column + strip * ColumnsOfRow, row + FirstRow(wave), .. group];
                    if (adds) c.Add(from, at);
                    else c.Store(from, at);
                }
        }, part is null ? null : row + Rows <= part.End, () => Copy(part!, waves, row, column));
    }

    /// <summary>Eight threads to a row of 128 bytes, as far as there are rows and columns.</summary>
    private void Copy(TilePart part, int waves, S32 row, S32 column)
    {
        const int Piece = 16, Pieces = RowBytes / Piece, RowsAtOnce = 128 / Pieces;
        var (piece, inside) = (K.ThreadIdX & (Pieces - 1), (K.ThreadIdX & 127) / Pieces);
        for (var wave = 0; wave < waves; wave++)
            for (var strip = 0; strip * ColumnsOfRow < Columns; strip++)
            {
                var first = column + (strip * ColumnsOfRow + piece * (Piece / Type.Bytes()));
                for (var i = 0; i < WaveRows; i += RowsAtOnce)
                {
                    var at = FirstRow(wave) + inside + i;
                    var from = Tile.AddBytes(strip * Rows * RowBytes).AddBytes(at * RowBytes).AddBytes(SwizzledRows.Chunk(at, piece)).As<B32>();
                    part.C.Row(row + at, part.Columns * Type.Bytes()).Row(first, Type.Bytes()).As<B32>().StoreVector(from.LoadVector(4), predicate: (row + at < part.End) & (first < part.Columns));
                }
            }
    }

    /// <summary>Until shared memory may be written again, or given up.</summary>
    public void AwaitRead() => _turn.AwaitRead();

    private void WriteHalves(Func<int, int, F32> sums, int wave) => SwizzledRows.Write(K, Tile, FirstRow(wave) + (K.WarpId & 3) * 16, Rows * RowBytes, Columns, e => sums(wave, e));

    /// <summary>A thread's pairs of columns, of which four make 32 bytes.</summary>
    private void WriteSingles(Func<int, int, F32> sums, int wave)
    {
        var (g, t) = (K.LaneId / 4, K.LaneId % 4);
        var twist = ((t >> 1) ^ g) << 4;
        for (var half = 0; half < 2; half++)
        {
            var start = RowStart(wave, g + 8 * half).AddBytes((t & 1) * 8);
            for (var j = 0; j < Columns / 8; j++)
                At(start, twist, 2 * j).As<F32>().StoreVector([sums(wave, 4 * j + 2 * half), sums(wave, 4 * j + 2 * half + 1)]);
        }
    }

    private SharedPtr<U8> RowStart(int wave, S32 row) => Tile.AddBytes((FirstRow(wave) + (K.WarpId & 3) * 16 + row) * RowBytes);

    /// <summary>The 16-byte chunk number <paramref name="chunk"/> (even) of a row, or the one after it, as <paramref name="twist"/> says.</summary>
    private SharedPtr<U8> At(SharedPtr<U8> row, S32 twist, int chunk) =>
        row.AddBytes(chunk / 8 * Rows * RowBytes).AddBytes(twist ^ ((chunk % 8) << 4));
}
