using System.Diagnostics;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu;

/// <summary>A stream that does its work at once.</summary>
internal sealed unsafe class VirtualStream(VirtualDevice device) : IStream
{
    public void Launch(IKernel kernel, Dim3 grid, Dim3 block, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments) =>
        device.Launch(Own(kernel), grid, block, null, sharedBytes, arguments);

    public void LaunchClusters(IKernel kernel, Dim3 grid, Dim3 block, Dim3 cluster, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments) =>
        device.Launch(Own(kernel), grid, block, cluster, sharedBytes, arguments);

    public void Upload(ReadOnlySpan<byte> source, ulong destination)
    {
        lock (device.Gate)
        {
            source.CopyTo(new Span<byte>(device.Heap.Host(destination, source.Length, "an upload"), source.Length));
            device.Heap.Shadow?.Write(destination, source.Length);
        }
    }

    public void Download(ulong source, Span<byte> destination)
    {
        lock (device.Gate) new ReadOnlySpan<byte>(device.Heap.Host(source, destination.Length, "a download"), destination.Length).CopyTo(destination);
    }

    public void Copy(ulong source, ulong destination, long bytes)
    {
        lock (device.Gate)
        {
            Buffer.MemoryCopy(device.Heap.Host(source, bytes, "a copy"), device.Heap.Host(destination, bytes, "a copy"), bytes, bytes);
            device.Heap.Shadow?.Copy(source, destination, bytes);
        }
    }

    public void Fill(ulong destination, byte value, long bytes)
    {
        lock (device.Gate)
        {
            System.Runtime.InteropServices.NativeMemory.Fill(device.Heap.Host(destination, bytes, "a fill"), (nuint)bytes, value);
            device.Heap.Shadow?.Write(destination, bytes);
        }
    }

    public void Record(IEvent mark) => ((VirtualEvent)mark).Timestamp = Stopwatch.GetTimestamp();

    public void Wait(IEvent mark)
    {
    }

    public void Synchronize()
    {
    }

    public void Dispose()
    {
    }

    private static VirtualKernel Own(IKernel kernel) => kernel as VirtualKernel ?? throw new DeviceException("the kernel is not one of the virtual GPU's");
}

internal sealed class VirtualEvent : IEvent
{
    /// <summary>When it was recorded; zero before that.</summary>
    public long Timestamp { get; set; }

    public TimeSpan Since(IEvent earlier)
    {
        long start = ((VirtualEvent)earlier).Timestamp;
        if (start == 0 || Timestamp == 0) throw new DeviceException("the time between two events is known when both have been recorded");
        return Stopwatch.GetElapsedTime(start, Timestamp);
    }

    public void Dispose()
    {
    }
}
