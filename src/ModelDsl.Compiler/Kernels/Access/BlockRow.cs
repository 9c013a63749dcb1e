using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Access;

/// <summary>The row that a block works on.</summary>
internal static class BlockRow
{
    /// <summary>The block's number along x; blocks beyond the count, which is the kernel's next parameter, end here.</summary>
    public static S32 Of(KernelBuilder k, string count)
    {
        k.ReturnIf(k.BlockIdX >= k.S32Param(count));
        return k.BlockIdX;
    }
}
