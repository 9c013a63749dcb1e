using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Models;

/// <summary>
/// Gathers the inputs of a step in one host buffer and sends them in one copy. The buffers are made for the largest step, once.
/// </summary>
internal sealed class StepUpload : IDisposable
{
    private const int Alignment = 64;
    private readonly byte[] _host;
    private readonly DeviceMemory _device;
    private int _used;

    /// <param name="arrays">Most arrays of a step.</param>
    /// <param name="numbers">Most numbers of a step, all arrays together.</param>
    public StepUpload(IDevice device, int arrays, long numbers)
    {
        _host = new byte[checked((int)(numbers * sizeof(int) + arrays * Alignment))];
        _device = device.Allocate(_host.Length);
    }

    public void Begin() => _used = 0;

    /// <summary>Room for an array: where to write it, and the address at which the step will find it.</summary>
    public Span<T> Add<T>(int count, out ulong address)
        where T : unmanaged
    {
        address = _device.Address + (ulong)_used;
        var bytes = count * Unsafe.SizeOf<T>();
        var span = MemoryMarshal.Cast<byte, T>(_host.AsSpan(_used, bytes));
        _used += (bytes + Alignment - 1) / Alignment * Alignment;
        return span;
    }

    public void Send(IStream stream) => stream.Upload(_host.AsSpan(0, _used), _device.Address);

    public void Dispose() => _device.Dispose();
}
