using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Tests;

/// <summary>A device of host memory that runs no kernels but remembers what it was asked to launch.</summary>
internal sealed unsafe class HostDevice : IDevice
{
    public List<(string Kernel, Dim3 Grid, KernelArgument[] Arguments)> Launches { get; } = [];

    /// <summary>Off: launches are forgotten, so that what is measured is the caller.</summary>
    public bool TakesNotes { get; set; } = true;

    public string Name => "host memory";

    public string Target => "sm_80";

    public int MultiprocessorCount => 1;

    /// <summary>Pieces of memory that were not given back.</summary>
    public int LiveAllocations { get; private set; }

    public DeviceMemory Allocate(long bytes)
    {
        LiveAllocations++;
        return new(this, (ulong)NativeMemory.AlignedAlloc((nuint)bytes, 256), bytes);
    }

    public void Free(DeviceMemory memory)
    {
        LiveAllocations--;
        NativeMemory.AlignedFree((void*)memory.Address);
    }

    public IModule LoadModule(ReadOnlySpan<byte> ptx) => new Module();

    /// <summary>Tensor maps that were asked for; as arguments they are their addresses.</summary>
    public List<TensorMap> Maps { get; } = [];

    public KernelArgument Encode(TensorMap map)
    {
        map.Validate();
        Maps.Add(map);
        return new KernelArgument(map.Address, TensorMap.Bytes);
    }

    public IStream CreateStream() => new Stream(this);

    public IEvent CreateEvent() => new Event();

    public void Synchronize()
    {
    }

    public void Dispose()
    {
    }

    private sealed record Kernel(string Name) : IKernel;

    private sealed class Module : IModule
    {
        public IKernel GetKernel(string name) => new Kernel(name);

        public void Dispose()
        {
        }
    }

    private sealed class Event : IEvent
    {
        public TimeSpan Since(IEvent earlier) => TimeSpan.Zero;

        public void Dispose()
        {
        }
    }

    private sealed class Stream(HostDevice device) : IStream
    {
        public void Launch(IKernel kernel, Dim3 grid, Dim3 block, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments)
        {
            if (device.TakesNotes) device.Launches.Add((kernel.Name, grid, arguments.ToArray()));
        }

        public void Upload(ReadOnlySpan<byte> source, ulong destination) =>
            source.CopyTo(new Span<byte>((void*)destination, source.Length));

        public void Download(ulong source, Span<byte> destination) =>
            new ReadOnlySpan<byte>((void*)source, destination.Length).CopyTo(destination);

        public void Copy(ulong source, ulong destination, long bytes) => Buffer.MemoryCopy((void*)source, (void*)destination, bytes, bytes);

        public void Fill(ulong destination, byte value, long bytes) => NativeMemory.Fill((void*)destination, (nuint)bytes, value);

        public void Record(IEvent mark)
        {
        }

        public void Wait(IEvent mark)
        {
        }

        public void Synchronize()
        {
        }

        public void Dispose()
        {
        }
    }
}
