using ModelDsl.Runtime.Cuda.Driver;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Cuda;

/// <summary>An event of the driver, with time.</summary>
internal sealed unsafe class CudaEvent : IEvent
{
    private readonly CudaDevice _device;

    public CudaEvent(CudaDevice device)
    {
        _device = device;
        nint handle;
        CudaDriver.Check(CudaApi.EventCreate(&handle, 0), "Making an event");
        Handle = handle;
    }

    public nint Handle { get; private set; }

    public TimeSpan Since(IEvent earlier)
    {
        if (earlier is not CudaEvent start) throw new DeviceException("The event belongs to another device.");
        _device.MakeCurrent();
        CudaDriver.Check(CudaApi.EventSynchronize(start.Handle), "Waiting for an event");
        CudaDriver.Check(CudaApi.EventSynchronize(Handle), "Waiting for an event");
        float milliseconds;
        CudaDriver.Check(CudaApi.EventElapsedTime(&milliseconds, start.Handle, Handle), "Measuring time between events");
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    public void Dispose()
    {
        if (Handle == 0) return;
        if (_device.TryMakeCurrent()) CudaApi.EventDestroy(Handle);
        Handle = 0;
    }
}
