using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>Sums to memory, rounded to the type of C, two columns at a time where rows start evenly.</summary>
internal static class Epilogue
{
    /// <summary>Stores the accumulators of a block's <c>mma</c> tiles.</summary>
    public static void Store(GemmProblem p, TensorTile tile, Var<F32>[,][] sums)
    {
        var k = p.K;
        var row = p.FirstRow + (tile.WarpsDown == 1 ? 0 : k.WarpId / tile.WarpsAcross * tile.WarpRows) + k.LaneId / 4;
        var column = p.FirstColumn + (tile.WarpsDown == 1 ? k.WarpId : k.WarpId % tile.WarpsAcross) * tile.WarpColumns + k.LaneId % 4 * 2;
        var fits = p.N % tile.Columns == 0;
        for (var i = 0; i < sums.GetLength(0); i++)
        for (var half = 0; half < 2; half++)
        {
            var r = row + (i * 16 + half * 8);
            var to = p.C.Row(r) + column * p.C.Type.Bytes();
            var exists = r < p.EndRow;
            for (var j = 0; j < sums.GetLength(1); j++)
            {
                var (x, y) = (sums[i, j][half * 2].Value, sums[i, j][half * 2 + 1].Value);
                StorePair(p, to.AddBytes(j * 8 * p.C.Type.Bytes()), x, y, column + j * 8, exists, fits);
            }
        }
    }

    private static void StorePair(GemmProblem p, GlobalPtr<U8> to, F32 x, F32 y, S32 column, Pred exists, bool fits)
    {
        var first = fits ? exists : exists & (column < p.N);
        if (p.C.VectorBytes >= 2 * p.C.Type.Bytes())
        {
            if (p.C.Type == DType.F32) to.As<F32>().StoreVector([x, y], predicate: first);
            else to.As<BF16x2>().StoreIf(first, p.K.ToBF16x2(x, y));
            return;
        }

        StoreOne(p, to, x, first);
        StoreOne(p, to.AddBytes(p.C.Type.Bytes()), y, fits ? exists : exists & (column + 1 < p.N));
    }

    /// <summary>Stores one element.</summary>
    public static void StoreOne(GemmProblem p, GlobalPtr<U8> to, F32 value, Pred predicate)
    {
        if (p.C.Type == DType.F32) to.As<F32>().StoreIf(predicate, value);
        else to.As<BF16>().StoreIf(predicate, p.K.ToBF16(value));
    }
}
