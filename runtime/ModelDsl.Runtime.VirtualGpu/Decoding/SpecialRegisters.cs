namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Names of the special registers that are the same for a warp as long as its block runs.</summary>
internal static class SpecialRegisters
{
    public static SpecialRegister? Find(string name) => name switch
    {
        "%tid.x" => SpecialRegister.ThreadX, "%tid.y" => SpecialRegister.ThreadY, "%tid.z" => SpecialRegister.ThreadZ,
        "%ntid.x" => SpecialRegister.ThreadsX, "%ntid.y" => SpecialRegister.ThreadsY, "%ntid.z" => SpecialRegister.ThreadsZ,
        "%ctaid.x" => SpecialRegister.BlockX, "%ctaid.y" => SpecialRegister.BlockY, "%ctaid.z" => SpecialRegister.BlockZ,
        "%nctaid.x" => SpecialRegister.BlocksX, "%nctaid.y" => SpecialRegister.BlocksY, "%nctaid.z" => SpecialRegister.BlocksZ,
        "%laneid" => SpecialRegister.Lane, "%warpid" => SpecialRegister.Warp, "%nwarpid" => SpecialRegister.Warps,
        "%smid" => SpecialRegister.Multiprocessor, "%nsmid" => SpecialRegister.Multiprocessors, "%gridid" => SpecialRegister.GridId,
        "%lanemask_eq" => SpecialRegister.MaskEqual, "%lanemask_lt" => SpecialRegister.MaskLess, "%lanemask_le" => SpecialRegister.MaskLessEqual,
        "%lanemask_gt" => SpecialRegister.MaskGreater, "%lanemask_ge" => SpecialRegister.MaskGreaterEqual,
        "%dynamic_smem_size" => SpecialRegister.DynamicSharedBytes, "%total_smem_size" => SpecialRegister.TotalSharedBytes,
        _ => null,
    };

    public static ulong? ConstantValue(string name) => name switch
    {
        "WARP_SZ" => 32,
        "%tid.w" or "%ctaid.w" or "%clusterid.x" or "%clusterid.y" or "%clusterid.z" or "%cluster_ctaid.x" or "%cluster_ctaid.y"
            or "%cluster_ctaid.z" or "%cluster_ctarank" => 0,
        "%ntid.w" or "%nctaid.w" or "%cluster_nctaid.x" or "%cluster_nctaid.y" or "%cluster_nctaid.z" or "%cluster_nctarank" => 1,
        _ => null,
    };
}
