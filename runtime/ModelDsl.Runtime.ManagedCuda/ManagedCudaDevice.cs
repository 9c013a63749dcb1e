using System.Text;
using ManagedCuda.BasicTypes;
using ModelDsl.Runtime.Devices;
using Context = ManagedCuda.DriverAPINativeMethods.ContextManagement;
using DeviceCalls = ManagedCuda.DriverAPINativeMethods.DeviceManagement;
using Memory = ManagedCuda.DriverAPINativeMethods.MemoryManagement;

namespace ModelDsl.Runtime.ManagedCuda;

/// <summary>One NVIDIA GPU through ManagedCuda, in its primary context, which other CUDA code of the process shares.</summary>
public sealed class ManagedCudaDevice : IDevice
{
    private readonly CUdevice _device;
    private readonly CUcontext _context;
    private bool _disposed;

    private ManagedCudaDevice(CUdevice device, CUcontext context, string name)
    {
        (_device, _context, Name) = (device, context, name);
        var (major, minor) = (Attribute(CUDeviceAttribute.ComputeCapabilityMajor), Attribute(CUDeviceAttribute.ComputeCapabilityMinor));
        // From Hopper on a device has instructions of its own behind the suffix.
        Target = $"sm_{major}{minor}{(major >= 9 ? "a" : "")}";
        MultiprocessorCount = Attribute(CUDeviceAttribute.MultiProcessorCount);
    }

    public string Name { get; }

    public string Target { get; }

    public int MultiprocessorCount { get; }

    /// <param name="ordinal">Which device, from 0.</param>
    /// <exception cref="DeviceException">There is no driver, no such device, or it does not start.</exception>
    public static ManagedCudaDevice Open(int ordinal = 0)
    {
        if (!ManagedCudaDriver.IsAvailable(out var reason)) throw new DeviceException(reason);
        if ((uint)ordinal >= (uint)ManagedCudaDriver.DeviceCount)
            throw new DeviceException($"There is no CUDA device {ordinal}; there are {ManagedCudaDriver.DeviceCount}, counted from 0.");

        var (device, context, name) = (default(CUdevice), default(CUcontext), new byte[256]);
        ManagedCudaDriver.Check(DeviceCalls.cuDeviceGet(ref device, ordinal), $"Opening CUDA device {ordinal}");
        ManagedCudaDriver.Check(DeviceCalls.cuDeviceGetName(name, name.Length, device), "Asking for the device's name");
        ManagedCudaDriver.Check(Context.cuDevicePrimaryCtxRetain(ref context, device), "Starting the device");
        return new ManagedCudaDevice(device, context, Encoding.UTF8.GetString(name, 0, Array.IndexOf(name, (byte)0)));
    }

    public DeviceMemory Allocate(long bytes)
    {
        MakeCurrent();
        var address = default(CUdeviceptr);
        var result = Memory.cuMemAlloc_v2(ref address, Math.Max(1, bytes));
        if (result == CUResult.ErrorOutOfMemory)
        {
            SizeT free = 0, total = 0;
            ManagedCudaDriver.Check(Memory.cuMemGetInfo_v2(ref free, ref total), "Asking for free memory");
            throw new DeviceException(
                $"{Name} has not enough memory: {bytes:N0} bytes were asked for, {(ulong)free:N0} of {(ulong)total:N0} are free.");
        }
        ManagedCudaDriver.Check(result, $"Allocating {bytes:N0} bytes");
        return new DeviceMemory(this, address, bytes);
    }

    public void Free(DeviceMemory memory)
    {
        if (_disposed) return;
        MakeCurrent();
        ManagedCudaDriver.Check(Memory.cuMemFree_v2(new CUdeviceptr(memory.Address)), "Freeing memory");
    }

    public IModule LoadModule(ReadOnlySpan<byte> ptx)
    {
        MakeCurrent();
        return ManagedCudaModule.Load(this, ptx);
    }

    public IStream CreateStream()
    {
        MakeCurrent();
        return new ManagedCudaStream(this);
    }

    public IEvent CreateEvent()
    {
        MakeCurrent();
        return new ManagedCudaEvent(this);
    }

    public void Synchronize()
    {
        MakeCurrent();
        ManagedCudaDriver.Check(Context.cuCtxSynchronize(), "Waiting for the device");
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Context.cuDevicePrimaryCtxRelease(_device);
    }

    // The driver's current context belongs to a thread, and a device may be used from any.
    internal void MakeCurrent()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ManagedCudaDriver.Check(Context.cuCtxSetCurrent(_context), "Entering the device's context");
    }

    /// <summary>False once the device is closed, and with it everything on it.</summary>
    internal bool TryMakeCurrent() => !_disposed && Context.cuCtxSetCurrent(_context) == CUResult.Success;

    private int Attribute(CUDeviceAttribute attribute)
    {
        var value = 0;
        ManagedCudaDriver.Check(DeviceCalls.cuDeviceGetAttribute(ref value, attribute, _device), $"Asking the device for {attribute}");
        return value;
    }
}
