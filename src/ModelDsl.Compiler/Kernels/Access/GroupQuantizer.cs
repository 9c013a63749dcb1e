using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>
/// Writes tiles of a row as E4M3 in 1 x 128 groups: <c>scale = max(amax, 1e-4) / 448</c>, <c>q = e4m3(x / scale)</c> with true divisions,
/// so that codes and scales agree with the reference bit by bit. The lanes of a group find its largest magnitude by shuffles.
/// </summary>
/// <param name="Q">The lane's <see cref="RowWalk.Start"/> in the row of codes.</param>
/// <param name="Scales">The row's place in the first of the <see cref="ScaleColumns"/>.</param>
/// <param name="Stride">Of the columns.</param>
internal sealed record GroupQuantizer(
    KernelBuilder K, RowTiling Tiling, RowWalk Walk, ScaleRounding Rounding, GlobalPtr<U8> Q, GlobalPtr<F32> Scales, S32 Stride)
{
    private const float SmallestMagnitude = 1e-4f;
    private const float LargestCode = 448f;

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
        var scale = Round(K.Max(K.WarpReduceMax(amax, Tiling.LanesPerGroup), SmallestMagnitude) / LargestCode);
        var inverse = 1f / scale;
        for (var i = 0; i < pieces.Count; i++)
            StoreCodes(Q.AddBytes(pieces[i].Offset), [.. values[i].Select(x => Quotient(x, scale, inverse))], pieces[i].Inside);
        var first = (Tiling.LanesPerGroup == 32 ? K.LaneId : K.LaneId & (Tiling.LanesPerGroup - 1)) == 0;
        Scales.Row(Walk.Start / RowTiling.Group + Walk.Offset(tile) / RowTiling.Group, Stride).StoreIf(first & pieces[0].Inside, scale);
    }

    /// <summary>
    /// x / scale, rounded as the division is, by three instructions: from a reciprocal that is correctly rounded one step of correction leads to the correctly rounded quotient (Markstein). Signs are
    /// such that minus zero stays what it is.
    /// </summary>
    private F32 Quotient(F32 x, F32 scale, F32 inverse)
    {
        var quotient = x * inverse;
        return K.Fma(-K.Fma(quotient, scale, -x), inverse, quotient);
    }

    /// <summary>Up to a power of two: adding all ones to the mantissa carries into the exponent unless the mantissa is zero.</summary>
    private F32 Round(F32 scale) =>
        Rounding == ScaleRounding.Exact ? scale : ((scale.As<U32>() + 0x7FFFFFu) & 0xFF800000u).As<F32>();

    private void StoreCodes(GlobalPtr<U8> at, F32[] x, Pred inside)
    {
        switch (x.Length)
        {
            case 1: at.As<E4M3>().StoreIf(inside, K.ToE4M3(x[0])); break;
            case 2: at.As<E4M3x2>().StoreIf(inside, K.ToE4M3x2(x[0], x[1])); break;
            default:
                var words = Enumerable.Range(0, x.Length / 4).Select(i => K.ToE4M3x4(x[4 * i], x[4 * i + 1], x[4 * i + 2], x[4 * i + 3]));
                at.As<E4M3x4>().StoreVector([.. words], predicate: inside);
                break;
        }
    }
}
