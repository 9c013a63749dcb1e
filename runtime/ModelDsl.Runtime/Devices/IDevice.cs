namespace ModelDsl.Runtime.Devices;

/// <summary>
/// What the generated host needs of a GPU, and no more: memory, modules, launches, streams, events.
/// Two things stand behind it: the CUDA driver and the virtual GPU. Both get the same PTX text.
/// </summary>
/// <remarks>A device may be used from several threads; one stream may not.</remarks>
public interface IDevice : IDisposable
{
    /// <summary>For people: <c>virtual GPU (2 cores)</c>, <c>NVIDIA H200</c>.</summary>
    string Name { get; }

    /// <summary>The newest PTX target this device runs, as in <c>.target sm_90a</c>.</summary>
    string Target { get; }

    /// <summary>Number of multiprocessors; kernels with a persistent grid size themselves by it.</summary>
    int MultiprocessorCount { get; }

    /// <summary>Reserves device memory, aligned to 256 bytes. Contents are undefined.</summary>
    /// <exception cref="DeviceException">Not enough memory; the message says how much was asked for and how much is free.</exception>
    DeviceMemory Allocate(long bytes);

    /// <summary>Gives memory back. Called by <see cref="DeviceMemory.Dispose"/>.</summary>
    void Free(DeviceMemory memory);

    /// <summary>Translates PTX text. The text need not end in a zero byte.</summary>
    /// <exception cref="DeviceException">The text is refused; the message carries the translator's log with line and column.</exception>
    IModule LoadModule(ReadOnlySpan<byte> ptx);

    /// <summary>A tensor map as an argument of kernels (<c>.param .align 64 .b8 map[128]</c>).</summary>
    /// <exception cref="DeviceException">The map cannot be, or the device has none.</exception>
    KernelArgument Encode(TensorMap map) => throw new DeviceException($"{Name} has no tensor maps; they come with sm_90");

    IStream CreateStream();

    IEvent CreateEvent();

    /// <summary>Waits for everything on every stream.</summary>
    void Synchronize();
}

/// <summary>Translated PTX: a set of kernels.</summary>
public interface IModule : IDisposable
{
    /// <exception cref="DeviceException">No such entry; the message lists those there are.</exception>
    IKernel GetKernel(string name);
}

/// <summary>One <c>.entry</c> of a module.</summary>
public interface IKernel
{
    string Name { get; }
}

/// <summary>Work in order. Calls return at once; results are there after <see cref="Synchronize"/>.</summary>
public interface IStream : IDisposable
{
    /// <summary>Runs a kernel. Arguments are in the order of its <c>.param</c> list.</summary>
    /// <param name="sharedBytes">Dynamic shared memory per block; more than 48 KiB is allowed where the device has it.</param>
    void Launch(IKernel kernel, Dim3 grid, Dim3 block, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments);

    /// <summary>Runs a kernel whose blocks are launched in clusters.</summary>
    /// <param name="cluster">Blocks of a cluster; the grid is a multiple of it.</param>
    void LaunchClusters(IKernel kernel, Dim3 grid, Dim3 block, Dim3 cluster, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (cluster.Count != 1) throw new DeviceException($"kernel '{kernel.Name}' cannot be launched in clusters of {cluster}: the device has clusters of one block");
        Launch(kernel, grid, block, sharedBytes, arguments);
    }

    /// <summary>Host to device. The source may be reused when the call returns.</summary>
    void Upload(ReadOnlySpan<byte> source, ulong destination);

    /// <summary>Device to host; waits for the work queued before it and returns with the data there.</summary>
    void Download(ulong source, Span<byte> destination);

    void Copy(ulong source, ulong destination, long bytes);

    void Fill(ulong destination, byte value, long bytes);

    void Record(IEvent mark);

    void Wait(IEvent mark);

    void Synchronize();
}

/// <summary>A mark in a stream.</summary>
public interface IEvent : IDisposable
{
    /// <summary>Time from another mark to this one; waits for both.</summary>
    TimeSpan Since(IEvent earlier);
}
