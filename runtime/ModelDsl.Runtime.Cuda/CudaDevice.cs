using System.Runtime.InteropServices;
using ModelDsl.Runtime.Cuda.Driver;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Cuda;

/// <summary>One NVIDIA GPU, in its primary context, which other CUDA code of the process shares.</summary>
public sealed unsafe class CudaDevice : IDevice
{
    private readonly int _device;
    private readonly nint _context;
    private bool _disposed;

    private CudaDevice(int device, nint context, string name, string target, int multiprocessors)
    {
        (_device, _context) = (device, context);
        (Name, Target, MultiprocessorCount) = (name, target, multiprocessors);
    }

    public string Name { get; }

    public string Target { get; }

    public int MultiprocessorCount { get; }

    /// <param name="ordinal">Which device, from 0.</param>
    /// <exception cref="DeviceException">There is no driver, no such device, or it does not start.</exception>
    public static CudaDevice Open(int ordinal = 0)
    {
        if (!CudaDriver.IsAvailable(out var reason)) throw new DeviceException(reason);
        if ((uint)ordinal >= (uint)CudaDriver.DeviceCount)
            throw new DeviceException($"There is no CUDA device {ordinal}; there are {CudaDriver.DeviceCount}, counted from 0.");

        int device;
        CudaDriver.Check(CudaApi.DeviceGet(&device, ordinal), $"Opening CUDA device {ordinal}");
        var name = stackalloc byte[256];
        CudaDriver.Check(CudaApi.DeviceGetName(name, 256, device), "Asking for the device's name");
        var (major, minor) =
            (Attribute(CudaDeviceAttribute.ComputeCapabilityMajor, device), Attribute(CudaDeviceAttribute.ComputeCapabilityMinor, device));
        var multiprocessors = Attribute(CudaDeviceAttribute.MultiprocessorCount, device);
        nint context;
        CudaDriver.Check(CudaApi.DevicePrimaryCtxRetain(&context, device), "Starting the device");
        // From Hopper on a device has instructions of its own behind the suffix.
        var target = $"sm_{major}{minor}{(major >= 9 ? "a" : "")}";
        return new CudaDevice(device, context, Marshal.PtrToStringUTF8((nint)name)!, target, multiprocessors);
    }

    public DeviceMemory Allocate(long bytes)
    {
        MakeCurrent();
        ulong address;
        var result = CudaApi.MemAlloc(&address, (nuint)Math.Max(1, bytes));
        if (result == CudaResult.OutOfMemory)
        {
            nuint free, total;
            CudaDriver.Check(CudaApi.MemGetInfo(&free, &total), "Asking for free memory");
            throw new DeviceException(
                $"{Name} has not enough memory: {bytes:N0} bytes were asked for, {(ulong)free:N0} of {(ulong)total:N0} are free.");
        }
        CudaDriver.Check(result, $"Allocating {bytes:N0} bytes");
        return new DeviceMemory(this, address, bytes);
    }

    public void Free(DeviceMemory memory)
    {
        if (_disposed) return;
        // After a fault the driver refuses this, too; whoever waited for the kernel has been told of the fault itself.
        if (TryMakeCurrent()) CudaApi.MemFree(memory.Address);
    }

    public IModule LoadModule(ReadOnlySpan<byte> ptx)
    {
        MakeCurrent();
        return CudaModule.Load(this, ptx);
    }

    public KernelArgument Encode(TensorMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        map.Validate();
        MakeCurrent();
        const int Promotion = 3; // What is fetched comes into L2 in pieces of 256 bytes.
        const int Alignment = 64;
        var rank = map.Sizes.Count;
        ulong* sizes = stackalloc ulong[TensorMap.MostDimensions], strides = stackalloc ulong[TensorMap.MostDimensions];
        uint* box = stackalloc uint[TensorMap.MostDimensions], steps = stackalloc uint[TensorMap.MostDimensions];
        for (var i = 0; i < rank; i++)
        {
            (sizes[i], box[i], steps[i]) = ((ulong)map.Sizes[i], (uint)map.Box[i], map.Steps.Count == 0 ? 1 : (uint)map.Steps[i]);
            if (i > 0) strides[i - 1] = (ulong)map.Strides[i - 1];
        }
        var room = stackalloc byte[TensorMap.Bytes + Alignment];
        var image = (byte*)(((nint)room + Alignment - 1) & -Alignment);
        var result = CudaApi.TensorMapEncodeTiled(
            image, (int)map.Element, (uint)rank, map.Address, sizes, strides, box, steps, 0, (int)map.Swizzle, Promotion, map.FillsWithNaN ? 1 : 0);
        CudaDriver.Check(result, "Making a tensor map");
        return KernelArgument.OfBytes(new ReadOnlySpan<byte>(image, TensorMap.Bytes));
    }

    public IStream CreateStream()
    {
        MakeCurrent();
        return new CudaStream(this);
    }

    public IEvent CreateEvent()
    {
        MakeCurrent();
        return new CudaEvent(this);
    }

    public void Synchronize()
    {
        MakeCurrent();
        CudaDriver.Check(CudaApi.CtxSynchronize(), "Waiting for the device");
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        CudaApi.DevicePrimaryCtxRelease(_device);
    }

    // The driver's current context belongs to a thread, and a device may be used from any.
    internal void MakeCurrent()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        CudaDriver.Check(CudaApi.CtxSetCurrent(_context), "Entering the device's context");
    }

    /// <summary>False once the device is closed, and with it everything on it.</summary>
    internal bool TryMakeCurrent() => !_disposed && CudaApi.CtxSetCurrent(_context) == CudaResult.Success;

    private static int Attribute(CudaDeviceAttribute attribute, int device)
    {
        int value;
        CudaDriver.Check(CudaApi.DeviceGetAttribute(&value, attribute, device), $"Asking the device for {attribute}");
        return value;
    }
}
