using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ModelDsl.Runtime.Cuda.Driver;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Cuda;

/// <summary>A stream of the driver that does not wait for the default one.</summary>
internal sealed unsafe class CudaStream : IStream
{
    private const int MostArguments = 64;
    private readonly CudaDevice _device;
    private nint _stream;

    public CudaStream(CudaDevice device)
    {
        _device = device;
        nint stream;
        CudaDriver.Check(CudaApi.StreamCreate(&stream, CudaStreamFlags.NonBlocking), "Making a stream");
        _stream = stream;
    }

    public void Launch(IKernel kernel, Dim3 grid, Dim3 block, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments) =>
        LaunchClusters(kernel, grid, block, 1, sharedBytes, arguments);

    public void LaunchClusters(IKernel kernel, Dim3 grid, Dim3 block, Dim3 cluster, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (kernel is not CudaKernel own) throw new DeviceException($"Kernel '{kernel.Name}' belongs to another device.");
        if (arguments.Length > MostArguments)
            throw new DeviceException($"Kernel '{kernel.Name}' is given {arguments.Length} arguments; {MostArguments} is the most.");
        _device.MakeCurrent();
        own.AllowShared(sharedBytes);
        // The driver reads as many bytes as each parameter has from where its pointer points. Structures are pinned.
        var pointers = stackalloc void*[MostArguments];
        var values = stackalloc ulong[MostArguments];
        for (var i = 0; i < arguments.Length; i++)
        {
            values[i] = arguments[i].Bits;
            pointers[i] = arguments[i].Block is { } bytes ? Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(bytes)) : values + i;
        }
        CudaResult result;
        if (cluster.Count == 1)
        {
            result = CudaApi.LaunchKernel(
                own.Function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)block.X, (uint)block.Y, (uint)block.Z,
                (uint)sharedBytes, _stream, pointers, null);
        }
        else
        {
            var attribute = new CudaClusterAttribute { Id = CudaClusterAttribute.ClusterDimension, X = (uint)cluster.X, Y = (uint)cluster.Y, Z = (uint)cluster.Z };
            var launch = new CudaLaunch
            {
                GridX = (uint)grid.X, GridY = (uint)grid.Y, GridZ = (uint)grid.Z, BlockX = (uint)block.X, BlockY = (uint)block.Y, BlockZ = (uint)block.Z,
                SharedBytes = (uint)sharedBytes, Stream = _stream, Attributes = &attribute, AttributeCount = 1,
            };
            result = CudaApi.LaunchKernelEx(&launch, own.Function, pointers, null);
        }
        if (result != CudaResult.Success) ThrowLaunch(result, kernel, grid, block, sharedBytes);
        // The driver has copied what the pointers point to.
        foreach (var argument in arguments) GC.KeepAlive(argument.Block);
    }

    public void Upload(ReadOnlySpan<byte> source, ulong destination)
    {
        if (source.IsEmpty) return;
        _device.MakeCurrent();
        // From pageable memory the driver returns when it has its own copy, so the source may be reused.
        fixed (byte* from = source)
            CudaDriver.Check(CudaApi.MemcpyHtoDAsync(destination, from, (nuint)source.Length, _stream), "Copying to the device");
    }

    public void Download(ulong source, Span<byte> destination)
    {
        _device.MakeCurrent();
        fixed (byte* to = &MemoryMarshal.GetReference(destination))
        {
            if (!destination.IsEmpty)
                CudaDriver.Check(CudaApi.MemcpyDtoHAsync(to, source, (nuint)destination.Length, _stream), "Copying from the device");
            CudaDriver.Check(CudaApi.StreamSynchronize(_stream), "Running what was launched");
        }
    }

    public void Copy(ulong source, ulong destination, long bytes)
    {
        if (bytes == 0) return;
        _device.MakeCurrent();
        CudaDriver.Check(CudaApi.MemcpyDtoDAsync(destination, source, (nuint)bytes, _stream), "Copying on the device");
    }

    public void Fill(ulong destination, byte value, long bytes)
    {
        if (bytes == 0) return;
        _device.MakeCurrent();
        CudaDriver.Check(CudaApi.MemsetD8Async(destination, value, (nuint)bytes, _stream), "Filling memory");
    }

    public void Record(IEvent mark)
    {
        _device.MakeCurrent();
        CudaDriver.Check(CudaApi.EventRecord(Own(mark), _stream), "Recording an event");
    }

    public void Wait(IEvent mark)
    {
        _device.MakeCurrent();
        CudaDriver.Check(CudaApi.StreamWaitEvent(_stream, Own(mark), 0), "Waiting for an event");
    }

    public void Synchronize()
    {
        _device.MakeCurrent();
        CudaDriver.Check(CudaApi.StreamSynchronize(_stream), "Running what was launched");
    }

    public void Dispose()
    {
        if (_stream == 0) return;
        if (_device.TryMakeCurrent()) CudaApi.StreamDestroy(_stream);
        _stream = 0;
    }

    private static nint Own(IEvent mark) =>
        mark is CudaEvent own ? own.Handle : throw new DeviceException("The event belongs to another device.");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowLaunch(CudaResult result, IKernel kernel, Dim3 grid, Dim3 block, int sharedBytes) =>
        throw new DeviceException(
            $"Launching '{kernel.Name}' with grid {grid}, block {block} and {sharedBytes} bytes of shared memory failed: "
            + $"{CudaDriver.Describe(result)}.");
}
