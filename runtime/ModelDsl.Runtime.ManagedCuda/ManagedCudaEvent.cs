using ManagedCuda.BasicTypes;
using ModelDsl.Runtime.Devices;
using Events = ManagedCuda.DriverAPINativeMethods.Events;

namespace ModelDsl.Runtime.ManagedCuda;

/// <summary>An event of the driver, with time.</summary>
internal sealed class ManagedCudaEvent : IEvent
{
    private readonly ManagedCudaDevice _device;
    private bool _disposed;

    public ManagedCudaEvent(ManagedCudaDevice device)
    {
        _device = device;
        var handle = default(CUevent);
        ManagedCudaDriver.Check(Events.cuEventCreate(ref handle, CUEventFlags.Default), "Making an event");
        Handle = handle;
    }

    public CUevent Handle { get; }

    public TimeSpan Since(IEvent earlier)
    {
        if (earlier is not ManagedCudaEvent start) throw new DeviceException("The event belongs to another device.");
        _device.MakeCurrent();
        ManagedCudaDriver.Check(Events.cuEventSynchronize(start.Handle), "Waiting for an event");
        ManagedCudaDriver.Check(Events.cuEventSynchronize(Handle), "Waiting for an event");
        var milliseconds = 0f;
        ManagedCudaDriver.Check(Events.cuEventElapsedTime(ref milliseconds, start.Handle, Handle), "Measuring time between events");
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (_device.TryMakeCurrent()) Events.cuEventDestroy_v2(Handle);
    }
}
