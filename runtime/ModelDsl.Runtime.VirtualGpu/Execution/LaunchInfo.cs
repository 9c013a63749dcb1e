using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Decoding;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>One launch as the workers see it.</summary>
internal sealed record LaunchInfo(DecodedKernel Kernel, Dim3 Grid, Dim3 Block, int DynamicSharedBytes, byte[] Parameters, long BranchBudget)
{
    /// <summary>Where findings go; null where nobody looks for any.</summary>
    public FindingLog? Findings { get; init; }

    /// <summary>Places in the text where a fault follows from something that was reported already.</summary>
    public HashSet<int> Explained { get; } = [];

    /// <summary>Instructions executed, by class; null where nobody counts. Whoever adds to it holds its lock.</summary>
    public ulong[]? Mix { get; init; }

    /// <summary>Blocks of a cluster along each axis.</summary>
    public Dim3 Cluster { get; init; } = new(1);

    /// <summary>See <see cref="VirtualDeviceOptions.Fp8SumBits"/>.</summary>
    public int Fp8SumBits { get; init; }

    public long Clusters => Grid.Count / Cluster.Count;

    public int Warps => (int)((Block.Count + 31) / 32);

    public uint SharedBytes => Kernel.StaticSharedBytes + (uint)DynamicSharedBytes;

    /// <summary>Coordinates of a block by its number.</summary>
    public Dim3 BlockAt(long index) => new((int)(index % Grid.X), (int)(index / Grid.X % Grid.Y), (int)(index / ((long)Grid.X * Grid.Y)));

    /// <summary>Number of the block that has a rank in a cluster.</summary>
    public long BlockOf(long cluster, int rank)
    {
        if (Cluster.Count == 1) return cluster;
        long across = Grid.X / Cluster.X, down = Grid.Y / Cluster.Y;
        long x = cluster % across * Cluster.X + rank % Cluster.X, y = cluster / across % down * Cluster.Y + rank / Cluster.X % Cluster.Y;
        return x + Grid.X * (y + Grid.Y * (cluster / (across * down) * Cluster.Z + rank / (Cluster.X * Cluster.Y)));
    }

    /// <summary>Coordinates of a thread by its number in the block.</summary>
    public Dim3 ThreadAt(int index) => new(index % Block.X, index / Block.X % Block.Y, index / (Block.X * Block.Y));

    /// <summary>The line of PTX around a position in the text.</summary>
    public CodePlace Place(int position) => Kernel.Module.Source.Place(position);
}
