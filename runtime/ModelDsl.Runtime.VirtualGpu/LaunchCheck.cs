using System.Buffers.Binary;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Decoding;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu;

/// <summary>Refuses launches that hardware would refuse, and some that it would not notice.</summary>
internal static class LaunchCheck
{
    private const int MaxThreads = 1024;

    /// <summary>Of registers, and of local memory: what one block may take on the host.</summary>
    private const long MostHostBytes = 1L << 30;

    /// <summary>Blocks of a cluster: as the launch asks for them, else as the kernel's text does.</summary>
    public static Dim3 Cluster(PtxFunction function, Dim3 grid, Dim3? asked)
    {
        Dim3? required = function.BlocksPerCluster is { } c ? new Dim3(c.X, c.Y, c.Z) : null;
        if (required is { } own && asked is { } other && own != other) throw new DeviceException($"kernel '{function.Name}' requires clusters of {own} blocks, not {other}");
        Dim3 cluster = required ?? asked ?? new Dim3(1);
        if (cluster.X < 1 || cluster.Y < 1 || cluster.Z < 1 || cluster.Count > Execution.Cluster.MostBlocks)
            throw new DeviceException($"kernel '{function.Name}': clusters of {cluster} blocks cannot be launched; {Execution.Cluster.MostBlocks} blocks is the most");
        if (grid.X % cluster.X != 0 || grid.Y % cluster.Y != 0 || grid.Z % cluster.Z != 0)
            throw new DeviceException($"kernel '{function.Name}': a grid of {grid} blocks does not fall into clusters of {cluster}");
        return cluster;
    }

    /// <summary>The parameters as the kernel sees them in memory.</summary>
    public static byte[] Check(DecodedKernel kernel, Dim3 grid, Dim3 block, int sharedBytes, ReadOnlySpan<KernelArgument> arguments, VirtualDeviceOptions options)
    {
        PtxFunction function = kernel.Function;
        string name = function.Name;
        if (grid.X < 1 || grid.Y is < 1 or > 65535 || grid.Z is < 1 or > 65535) throw new DeviceException($"kernel '{name}': a grid of {grid} blocks cannot be launched");
        int most = function.MaxThreads > 0 ? Math.Min(function.MaxThreads, MaxThreads) : MaxThreads;
        if (block.X < 1 || block.Y < 1 || block.Z is < 1 or > 64 || block.Count > most)
            throw new DeviceException($"kernel '{name}': a block of {block} threads cannot be launched; at most {most} threads fit");
        if (function.RequiredThreads is { } required && (required.X, required.Y, required.Z) != (block.X, block.Y, block.Z))
            throw new DeviceException($"kernel '{name}' requires blocks of ({required.X}, {required.Y}, {required.Z}) threads, not {block}");
        if (sharedBytes < 0 || kernel.StaticSharedBytes - kernel.SharedGapBytes + (long)sharedBytes > options.SharedBytesPerBlock)
            throw new DeviceException($"kernel '{name}': {kernel.StaticSharedBytes - kernel.SharedGapBytes + (long)sharedBytes:N0} bytes of shared memory are wanted, a block has at most {options.SharedBytesPerBlock:N0}");
        long warps = (block.Count + 31) / 32;
        if (warps * kernel.RegisterBytes > MostHostBytes || warps * 32 * kernel.LocalBytes > MostHostBytes)
            throw new DeviceException($"kernel '{name}': a block of {block} threads takes {Math.Max(warps * kernel.RegisterBytes, warps * 32 * kernel.LocalBytes):N0} bytes of registers or local memory; {MostHostBytes:N0} are to be had");
        if (arguments.Length != function.Parameters.Count)
            throw new DeviceException($"kernel '{name}' takes {function.Parameters.Count} arguments, not {arguments.Length}");
        var image = new byte[kernel.ParameterBytes];
        Span<byte> word = stackalloc byte[8];
        for (int i = 0; i < arguments.Length; i++)
        {
            PtxVariable parameter = function.Parameters[i];
            bool fits = arguments[i].Size == parameter.Bytes || (parameter.Bytes is 1 or 2 && arguments[i].Size == 4);
            if (!fits) throw new DeviceException($"kernel '{name}': argument {i} has {arguments[i].Size} bytes, but parameter '{parameter.Name}' has {parameter.Bytes}");
            BinaryPrimitives.WriteUInt64LittleEndian(word, arguments[i].Bits);
            ReadOnlySpan<byte> bytes = arguments[i].Block ?? word[..(int)parameter.Bytes];
            bytes.CopyTo(image.AsSpan((int)parameter.Address));
        }
        return image;
    }
}
