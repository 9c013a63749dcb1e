using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>The row tile of a block of a grouped product, from the list that dispatch made.</summary>
/// <param name="Expert">Whose weights.</param>
/// <param name="First">First row.</param>
/// <param name="End">The row after the last.</param>
internal sealed record ExpertTiles(S32 Expert, S32 First, S32 End)
{
    public static ImmutableArray<KernelParameter> Parameters { get; } =
        [KernelParameter.In("offsets", DType.I32), KernelParameter.In("tile_expert", DType.I32), KernelParameter.In("tile_row", DType.I32)];

    /// <summary>Entries of the list: no more than rows, nor than full tiles and a partial one per expert.</summary>
    public static Dim Count(int tileRows, int experts) => Dim.Min(Dim.Rows, Dim.CeilDiv(Dim.Rows, tileRows) + experts);

    /// <summary>Reads the block's entry; blocks of unused entries end.</summary>
    public static ExpertTiles Read(KernelBuilder k, int tileRows)
    {
        var offsets = k.GlobalPtrParam<S32>("offsets");
        var experts = k.GlobalPtrParam<S32>("tile_expert");
        var rows = k.GlobalPtrParam<S32>("tile_row");
        k.Comment("This block's entry of the tile list.");
        var expert = experts[k.BlockIdX];
        k.ReturnIf(expert < 0);
        var first = rows[k.BlockIdX];
        return new ExpertTiles(expert, first, k.Min(offsets[expert + 1], first + tileRows));
    }
}
