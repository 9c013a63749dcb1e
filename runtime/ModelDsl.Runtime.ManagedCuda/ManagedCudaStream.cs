using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;
using ModelDsl.Runtime.Devices;
using Copies = ManagedCuda.DriverAPINativeMethods.AsynchronousMemcpy_v2;
using Events = ManagedCuda.DriverAPINativeMethods.Events;
using Fills = ManagedCuda.DriverAPINativeMethods.MemsetAsync;
using Launches = ManagedCuda.DriverAPINativeMethods.Launch;
using Streams = ManagedCuda.DriverAPINativeMethods.Streams;

namespace ModelDsl.Runtime.ManagedCuda;

/// <summary>A stream of the driver that does not wait for the default one.</summary>
internal sealed unsafe class ManagedCudaStream : IStream
{
    private const int MostArguments = 64;

    // ManagedCuda takes addresses of arguments in an array; one for all launches, as a stream is used from one thread at a time.
    private readonly nint[] _pointers = new nint[MostArguments];
    private readonly ManagedCudaDevice _device;
    private CUstream? _stream;

    public ManagedCudaStream(ManagedCudaDevice device)
    {
        _device = device;
        var stream = default(CUstream);
        ManagedCudaDriver.Check(Streams.cuStreamCreate(ref stream, CUStreamFlags.NonBlocking), "Making a stream");
        _stream = stream;
    }

    public void Launch(IKernel kernel, Dim3 grid, Dim3 block, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (kernel is not ManagedCudaKernel own) throw new DeviceException($"Kernel '{kernel.Name}' belongs to another device.");
        if (arguments.Length > MostArguments)
            throw new DeviceException($"Kernel '{kernel.Name}' is given {arguments.Length} arguments; {MostArguments} is the most.");
        var stream = Enter();
        own.AllowShared(sharedBytes);
        // The driver reads as many bytes as each parameter has from where its pointer points. Structures are pinned.
        var values = stackalloc ulong[MostArguments];
        for (var i = 0; i < arguments.Length; i++)
        {
            values[i] = arguments[i].Bits;
            _pointers[i] = arguments[i].Block is { } bytes ? (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(bytes)) : (nint)(values + i);
        }
        var result = Launches.cuLaunchKernel(
            own.Function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)block.X, (uint)block.Y, (uint)block.Z,
            (uint)sharedBytes, stream, _pointers, null);
        if (result != CUResult.Success) ThrowLaunch(result, kernel, grid, block, sharedBytes);
        // The driver has copied what the pointers point to.
        foreach (var argument in arguments) GC.KeepAlive(argument.Block);
    }

    public void Upload(ReadOnlySpan<byte> source, ulong destination)
    {
        if (source.IsEmpty) return;
        var stream = Enter();
        // From pageable memory the driver returns when it has its own copy, so the source may be reused.
        fixed (byte* from = source)
            ManagedCudaDriver.Check(Copies.cuMemcpyHtoDAsync_v2(At(destination), (nint)from, source.Length, stream), "Copying to the device");
    }

    public void Download(ulong source, Span<byte> destination)
    {
        var stream = Enter();
        fixed (byte* to = &MemoryMarshal.GetReference(destination))
        {
            if (!destination.IsEmpty)
                ManagedCudaDriver.Check(Copies.cuMemcpyDtoHAsync_v2((nint)to, At(source), destination.Length, stream), "Copying from the device");
            ManagedCudaDriver.Check(Streams.cuStreamSynchronize(stream), "Running what was launched");
        }
    }

    public void Copy(ulong source, ulong destination, long bytes)
    {
        if (bytes == 0) return;
        ManagedCudaDriver.Check(Copies.cuMemcpyDtoDAsync_v2(At(destination), At(source), bytes, Enter()), "Copying on the device");
    }

    public void Fill(ulong destination, byte value, long bytes)
    {
        if (bytes == 0) return;
        ManagedCudaDriver.Check(Fills.cuMemsetD8Async(At(destination), value, bytes, Enter()), "Filling memory");
    }

    public void Record(IEvent mark) => ManagedCudaDriver.Check(Events.cuEventRecord(Own(mark), Enter()), "Recording an event");

    public void Wait(IEvent mark) => ManagedCudaDriver.Check(Streams.cuStreamWaitEvent(Enter(), Own(mark), 0), "Waiting for an event");

    public void Synchronize() => ManagedCudaDriver.Check(Streams.cuStreamSynchronize(Enter()), "Running what was launched");

    public void Dispose()
    {
        if (_stream is not { } stream) return;
        if (_device.TryMakeCurrent()) Streams.cuStreamDestroy_v2(stream);
        _stream = null;
    }

    private CUstream Enter()
    {
        ObjectDisposedException.ThrowIf(_stream is null, this);
        _device.MakeCurrent();
        return _stream.Value;
    }

    private static CUdeviceptr At(ulong address) => new(address);

    private static CUevent Own(IEvent mark) =>
        mark is ManagedCudaEvent own ? own.Handle : throw new DeviceException("The event belongs to another device.");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowLaunch(CUResult result, IKernel kernel, Dim3 grid, Dim3 block, int sharedBytes) =>
        throw new DeviceException(
            $"Launching '{kernel.Name}' with grid {grid}, block {block} and {sharedBytes} bytes of shared memory failed: "
            + $"{ManagedCudaDriver.Describe(result)}.");
}
