namespace ModelDsl.Runtime.Devices;

/// <summary>A piece of device memory. <see cref="Address"/> is what a kernel sees in a <c>.u64</c> parameter.</summary>
public sealed class DeviceMemory(IDevice device, ulong address, long bytes) : IDisposable
{
    private bool _freed;

    public ulong Address { get; } = address;

    /// <summary>Length in bytes.</summary>
    public long Bytes { get; } = bytes;

    public void Dispose()
    {
        if (_freed) return;
        _freed = true;
        device.Free(this);
    }
}
