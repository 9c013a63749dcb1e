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
        "%clusterid.x" => SpecialRegister.ClusterX, "%clusterid.y" => SpecialRegister.ClusterY, "%clusterid.z" => SpecialRegister.ClusterZ,
        "%nclusterid.x" => SpecialRegister.ClustersX, "%nclusterid.y" => SpecialRegister.ClustersY, "%nclusterid.z" => SpecialRegister.ClustersZ,
        "%cluster_ctaid.x" => SpecialRegister.InClusterX, "%cluster_ctaid.y" => SpecialRegister.InClusterY, "%cluster_ctaid.z" => SpecialRegister.InClusterZ,
        "%cluster_nctaid.x" => SpecialRegister.ClusterBlocksX, "%cluster_nctaid.y" => SpecialRegister.ClusterBlocksY, "%cluster_nctaid.z" => SpecialRegister.ClusterBlocksZ,
        "%cluster_ctarank" => SpecialRegister.Rank, "%cluster_nctarank" => SpecialRegister.ClusterBlocks,
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
        "%tid.w" or "%ctaid.w" or "%clusterid.w" or "%cluster_ctaid.w" => 0,
        "%ntid.w" or "%nctaid.w" or "%nclusterid.w" or "%cluster_nctaid.w" => 1,
        _ => null,
    };
}
