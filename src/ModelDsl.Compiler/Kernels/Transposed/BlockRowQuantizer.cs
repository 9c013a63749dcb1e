using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Transposed;

/// <summary>Writes the 1 x 128 groups of a block's tokens: what <see cref="GroupQuantizer"/> makes of whole rows. 16 neighbouring lanes have the features of a token.</summary>
internal sealed record BlockRowQuantizer(KernelBuilder K, GlobalPtr<U8> Q, GlobalPtr<F32> Scales, int Width, S32 Rows, ScaleRounding Rounding)
{
    private const int LanesOfToken = 16;

    public void Store(IReadOnlyList<SourceToken> tokens, S32 column, IReadOnlyList<RowPiece> pieces, F32[][][] values)
    {
        var scales = Scales.Row(column / RowTiling.Group, ScaleColumns.Stride(Rows));
        for (var t = 0; t < tokens.Count; t++)
        {
            var (row, inside) = tokens[t];
            var amax = values[t].SelectMany(piece => piece).Select(K.Abs).Aggregate(K.Max);
            var scale = GroupScale.Of(K, Rounding, K.WarpReduceMax(amax, LanesOfToken));
            for (var j = 0; j < pieces.Count; j++)
                CodeStore.Write(K, (Q.Row(row, Width) + column).AddBytes(pieces[j].Offset), [.. values[t][j].Select(scale.Quotient)], inside & pieces[j].Inside);
            scales.StoreIf((K.LaneId % LanesOfToken == 0) & inside, scale.Scale, row);
        }
    }
}
