using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>
/// Writes tiles of a row as E4M3 in 1 x 128 groups (<see cref="GroupScale"/>). The lanes of a group find its largest magnitude by shuffles.
/// </summary>
/// <param name="Q">The lane's <see cref="RowWalk.Start"/> in the row of codes.</param>
/// <param name="Scales">The row's place in the first of the <see cref="ScaleColumns"/>.</param>
/// <param name="Stride">Of the columns.</param>
internal sealed record GroupQuantizer(
    KernelBuilder K, RowTiling Tiling, RowWalk Walk, ScaleRounding Rounding, GlobalPtr<U8> Q, GlobalPtr<F32> Scales, S32 Stride)
{
    public static int Columns(int width) => (width + RowTiling.Group - 1) / RowTiling.Group;

    public static GroupQuantizer Of(
        KernelBuilder k, RowTiling tiling, RowWalk walk, ScaleRounding rounding, GlobalPtr<U8> q, GlobalPtr<F32> scales, BlockRow row) =>
        new(k, tiling, walk, rounding, q.Row(row.Number, tiling.Width) + walk.Start, scales + row.Number, ScaleColumns.Stride(row.Count));

    /// <summary>Quantises one tile. All lanes of the warp come here; those outside of the row bring zeros.</summary>
    /// <param name="values">The lane's elements, one array per piece.</param>
    public void Store(int tile, IReadOnlyList<F32[]> values)
    {
        var pieces = Walk.Pieces(tile);
        var amax = values.SelectMany(v => v).Select(K.Abs).Aggregate(K.Max);
        var scale = GroupScale.Of(K, Rounding, K.WarpReduceMax(amax, Tiling.LanesPerGroup));
        for (var i = 0; i < pieces.Count; i++)
            CodeStore.Write(K, Q.AddBytes(pieces[i].Offset), [.. values[i].Select(scale.Quotient)], pieces[i].Inside);
        var first = (Tiling.LanesPerGroup == 32 ? K.LaneId : K.LaneId & (Tiling.LanesPerGroup - 1)) == 0;
        Scales.Row(Walk.Start / RowTiling.Group + Walk.Offset(tile) / RowTiling.Group, Stride).StoreIf(first & pieces[0].Inside, scale.Scale);
    }
}
