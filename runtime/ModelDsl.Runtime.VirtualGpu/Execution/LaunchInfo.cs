using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Decoding;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>One launch as the workers see it.</summary>
internal sealed record LaunchInfo(DecodedKernel Kernel, Dim3 Grid, Dim3 Block, int DynamicSharedBytes, ulong[] Parameters, long BranchBudget)
{
    public long Blocks => Grid.Count;

    public int Warps => (int)((Block.Count + 31) / 32);

    public uint SharedBytes => Kernel.StaticSharedBytes + (uint)DynamicSharedBytes;
}
