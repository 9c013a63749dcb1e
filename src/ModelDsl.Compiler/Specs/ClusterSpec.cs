using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Specs;

/// <summary>A GPU cluster. Rates are per second, sizes in bytes.</summary>
/// <param name="DollarsPerGpuHour">Price; null when none was given.</param>
/// <param name="NodesOrigin">Where their number is given.</param>
public sealed record ClusterSpec(
    string Name, GpuProfile Gpu, int Nodes, NodeSpec Node, NetworkSpec? Network, double? DollarsPerGpuHour, Origin NodesOrigin, Origin Origin)
{
    public int Gpus => Nodes * Node.Gpus;
}

/// <param name="NvlinkBytesPerSecond">Per GPU, within the node.</param>
/// <param name="NicBytesPerSecond">Per network adapter.</param>
/// <param name="AdaptersOrigin">Where their number is given.</param>
public sealed record NodeSpec(
    int Gpus, double NvlinkBytesPerSecond, int Nics, double NicBytesPerSecond, Origin AdaptersOrigin, Origin Origin);

/// <summary>What a GPU can do at best, from its data sheet.</summary>
/// <param name="Target">PTX target with suffix, <c>sm_90a</c>.</param>
public sealed record GpuProfile(
    string Name, string Target, int Multiprocessors, long MemoryBytes, double MemoryBytesPerSecond, double Bf16FlopsPerSecond, double Fp8FlopsPerSecond);
