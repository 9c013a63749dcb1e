using System.Runtime.Intrinsics;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Decoding;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>Fills the rows that no instruction writes: constants and special registers.</summary>
internal static unsafe class RowSetup
{
    /// <summary>Everything that stays for a whole launch.</summary>
    public static void Initialise(Warp* warp, LaunchInfo launch, int multiprocessor, int multiprocessors)
    {
        byte* r = warp->Registers;
        *(uint*)(r + KernelDecoder.AlwaysTrue) = Lanes.All;
        foreach (ConstantRow row in launch.Kernel.Constants) Fill(r + row.Offset, row.IsWide, row.Bits);
        foreach (SpecialRow row in launch.Kernel.Specials)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                uint value = Value(row.Register, warp, lane, launch, multiprocessor, multiprocessors);
                if (row.IsWide) ((ulong*)(r + row.Offset))[lane] = value;
                else ((uint*)(r + row.Offset))[lane] = value;
            }
        }
    }

    /// <summary>The block's coordinates, in the grid and in its cluster.</summary>
    public static void PlaceBlock(Warp* warp, LaunchInfo launch, BlockState* block)
    {
        Dim3 cluster = launch.Cluster;
        foreach (SpecialRow row in launch.Kernel.Specials)
        {
            int? value = row.Register switch
            {
                SpecialRegister.BlockX => block->BlockX,
                SpecialRegister.BlockY => block->BlockY,
                SpecialRegister.BlockZ => block->BlockZ,
                SpecialRegister.Frame => 0,
                SpecialRegister.ClusterX => block->BlockX / cluster.X,
                SpecialRegister.ClusterY => block->BlockY / cluster.Y,
                SpecialRegister.ClusterZ => block->BlockZ / cluster.Z,
                SpecialRegister.InClusterX => block->BlockX % cluster.X,
                SpecialRegister.InClusterY => block->BlockY % cluster.Y,
                SpecialRegister.InClusterZ => block->BlockZ % cluster.Z,
                SpecialRegister.Rank => block->Rank,
                _ => null,
            };
            if (value is { } known) Fill(warp->Registers + row.Offset, row.IsWide, (uint)known);
        }
    }

    private static void Fill(byte* row, bool isWide, ulong bits)
    {
        if (isWide)
        {
            Vector512<ulong> value = Vector512.Create(bits);
            for (int k = 0; k < 4; k++) value.Store((ulong*)row + 8 * k);
            return;
        }
        Vector512<uint> narrow = Vector512.Create((uint)bits);
        narrow.Store((uint*)row);
        narrow.Store((uint*)row + 16);
    }

    private static uint Value(SpecialRegister register, Warp* warp, int lane, LaunchInfo launch, int multiprocessor, int multiprocessors)
    {
        Dim3 block = launch.Block, grid = launch.Grid, cluster = launch.Cluster;
        int thread = warp->Index * 32 + lane;
        return register switch
        {
            SpecialRegister.ThreadX => (uint)(thread % block.X),
            SpecialRegister.ThreadY => (uint)(thread / block.X % block.Y),
            SpecialRegister.ThreadZ => (uint)(thread / block.X / block.Y),
            SpecialRegister.ThreadsX => (uint)block.X,
            SpecialRegister.ThreadsY => (uint)block.Y,
            SpecialRegister.ThreadsZ => (uint)block.Z,
            SpecialRegister.BlocksX => (uint)grid.X,
            SpecialRegister.BlocksY => (uint)grid.Y,
            SpecialRegister.BlocksZ => (uint)grid.Z,
            SpecialRegister.ClustersX => (uint)(grid.X / cluster.X),
            SpecialRegister.ClustersY => (uint)(grid.Y / cluster.Y),
            SpecialRegister.ClustersZ => (uint)(grid.Z / cluster.Z),
            SpecialRegister.ClusterBlocksX => (uint)cluster.X,
            SpecialRegister.ClusterBlocksY => (uint)cluster.Y,
            SpecialRegister.ClusterBlocksZ => (uint)cluster.Z,
            SpecialRegister.ClusterBlocks => (uint)cluster.Count,
            SpecialRegister.Lane => (uint)lane,
            SpecialRegister.Quad => (uint)lane / 4,
            SpecialRegister.LaneInQuad => (uint)lane % 4,
            SpecialRegister.Warp => (uint)warp->Index,
            SpecialRegister.Warps => (uint)launch.Warps,
            SpecialRegister.Multiprocessor => (uint)multiprocessor,
            SpecialRegister.Multiprocessors => (uint)multiprocessors,
            SpecialRegister.MaskEqual => 1u << lane,
            SpecialRegister.MaskLess => (1u << lane) - 1,
            SpecialRegister.MaskLessEqual => (uint)((2UL << lane) - 1),
            SpecialRegister.MaskGreater => ~(uint)((2UL << lane) - 1),
            SpecialRegister.MaskGreaterEqual => ~((1u << lane) - 1),
            SpecialRegister.DynamicSharedBytes => (uint)launch.DynamicSharedBytes,
            SpecialRegister.TotalSharedBytes => launch.SharedBytes,
            _ => 0,
        };
    }
}
