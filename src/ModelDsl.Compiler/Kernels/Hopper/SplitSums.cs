using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// The way of a tile's sums to memory where the blocks of a cluster have a part of its depth each: every block leaves its sums in its shared memory; then each adds those
/// of all blocks for its share of the rows, in order, so that results do not depend on who comes first.
/// </summary>
/// <param name="Sums">F32[rows, <see cref="FewRowsTile.SumsOfRow"/>].</param>
/// <param name="Rank">This block's number in its cluster.</param>
internal sealed record SplitSums(KernelBuilder K, SharedPtr<F32> Sums, FewRowsTile Tile, S32 Rank)
{
    private const int Vector = 4;

    private int RowsOfBlock => (Tile.Rows + Tile.Split - 1) / Tile.Split;

    private int VectorsOfRow => Tile.Outputs / Vector;

    /// <summary>Leaves what a thread has of a wave.</summary>
    /// <param name="output">First of the wave's 64.</param>
    /// <param name="sum">Element 4j + 2h + i is output g + 8h of the warp's 16 and row 8j + 2t + i.</param>
    public void Leave(S32 output, Func<int, F32> sum)
    {
        var (g, t) = (K.LaneId >> 2, K.LaneId & 3);
        var at = Sums + (2 * t * Tile.SumsOfRow + output + (K.WarpId & 3) * 16 + g);
        for (var e = 0; e < Tile.Rows / 2; e++) at.Store(sum(e), (e / 4 * 8 + e % 2) * Tile.SumsOfRow + e / 2 % 2 * 8);
    }

    /// <summary>By all math threads, once all blocks of the cluster have left theirs.</summary>
    /// <param name="c">Of the tile's first row and output.</param>
    /// <param name="n">Outputs of a row of C.</param>
    /// <param name="rows">Rows that C has from the tile's first one on.</param>
    /// <param name="outputs">The same of outputs.</param>
    public void Store(GlobalPtr<U8> c, DType type, int n, S32 rows, S32 outputs)
    {
        for (var first = 0; first < RowsOfBlock * VectorsOfRow; first += FewRowsTile.MathThreads)
        {
            var index = K.ThreadIdX + first;
            var (row, output) = (Rank * RowsOfBlock + index / VectorsOfRow, index % VectorsOfRow * Vector);
            var mine = (index < RowsOfBlock * VectorsOfRow) & (row < K.Min(rows, Tile.Rows)) & (output < outputs);
            K.If(mine, () =>
            {
                var values = Add(row * Tile.SumsOfRow + output);
                var to = c.Row(row, n * type.Bytes()).Row(output, type.Bytes());
                if (type == DType.BF16) to.As<B32>().StoreVector([K.ToBF16x2(values[0], values[1]), K.ToBF16x2(values[2], values[3])]);
                else to.As<F32>().StoreVector(values);
            });
        }
    }

    private F32[] Add(S32 index)
    {
        if (Tile.Split == 1) return (Sums + index).LoadVector(Vector);
        F32[][] parts = [.. Enumerable.Range(0, Tile.Split).Select(rank => (K.InBlock(Sums, rank) + index).LoadVector(Vector))];
        return parts.Aggregate((sum, part) => [.. sum.Zip(part, (a, b) => a + b)]);
    }
}
