using System.Diagnostics;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Profiling;

/// <summary>Passes everything on to another device and notes launches.</summary>
internal sealed class ProfiledDevice(IDevice device, RunProfile profile) : IDevice
{
    public string Name => device.Name;

    public string Target => device.Target;

    public int MultiprocessorCount => device.MultiprocessorCount;

    public DeviceMemory Allocate(long bytes) => device.Allocate(bytes);

    public void Free(DeviceMemory memory) => device.Free(memory);

    public IModule LoadModule(ReadOnlySpan<byte> ptx) => device.LoadModule(ptx);

    public KernelArgument Encode(TensorMap map) => device.Encode(map);

    public IStream CreateStream() => new ProfiledStream(device.CreateStream(), profile);

    public IEvent CreateEvent() => device.CreateEvent();

    public void Synchronize() => device.Synchronize();

    public void Dispose() => device.Dispose();
}

/// <summary>Waits for each launch, so that its time is its own. That costs a GPU its overlap of launching and running.</summary>
internal sealed class ProfiledStream(IStream stream, RunProfile profile) : IStream
{
    public void Launch(IKernel kernel, Dim3 grid, Dim3 block, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments) =>
        LaunchClusters(kernel, grid, block, 1, sharedBytes, arguments);

    public void LaunchClusters(IKernel kernel, Dim3 grid, Dim3 block, Dim3 cluster, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments)
    {
        var counted = kernel as ICountedKernel;
        var before = counted?.WarpInstructions ?? 0;
        var mix = counted?.Mix ?? default;
        var start = Stopwatch.GetTimestamp();
        if (cluster.Count == 1) stream.Launch(kernel, grid, block, sharedBytes, arguments);
        else stream.LaunchClusters(kernel, grid, block, cluster, sharedBytes, arguments);
        stream.Synchronize();
        profile.Add(kernel.Name, grid, block, start, Stopwatch.GetTimestamp(), (counted?.WarpInstructions ?? 0) - before, (counted?.Mix ?? default) - mix);
    }

    public void Upload(ReadOnlySpan<byte> source, ulong destination) => stream.Upload(source, destination);

    public void Download(ulong source, Span<byte> destination) => stream.Download(source, destination);

    public void Copy(ulong source, ulong destination, long bytes) => stream.Copy(source, destination, bytes);

    public void Fill(ulong destination, byte value, long bytes) => stream.Fill(destination, value, bytes);

    public void Record(IEvent mark) => stream.Record(mark);

    public void Wait(IEvent mark) => stream.Wait(mark);

    public void Synchronize() => stream.Synchronize();

    public void Dispose() => stream.Dispose();
}
