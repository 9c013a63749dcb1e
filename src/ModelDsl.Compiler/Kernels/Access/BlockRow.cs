using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>The row that a block, or each warp of one, works on.</summary>
/// <param name="Number">The block's number along x, or the warp's in all blocks.</param>
/// <param name="Count">Rows there are.</param>
internal sealed record BlockRow(S32 Number, S32 Count)
{
    /// <summary>Blocks beyond the count, which is the kernel's next parameter, end here.</summary>
    public static BlockRow Of(KernelBuilder k, string count)
    {
        var (number, rows) = (k.BlockIdX, k.S32Param(count));
        k.ReturnIf(number >= rows);
        return new BlockRow(number, rows);
    }

    /// <summary>The same for warps: those beyond the count end here, so nobody may wait for the block.</summary>
    public static BlockRow OfWarp(KernelBuilder k, string count, int warps)
    {
        var (number, rows) = (k.BlockIdX * warps + k.WarpId, k.S32Param(count));
        k.ReturnIf(number >= rows);
        return new BlockRow(number, rows);
    }

    public static implicit operator S32(BlockRow row) => row.Number;
}
