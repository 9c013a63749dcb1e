using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Models;

/// <summary>cos and sin of every position on the device, f32 [positions, rope / 2].</summary>
internal sealed class RopeTables : IDisposable
{
    private readonly DeviceMemory _memory;

    public RopeTables(IDevice device, IStream stream, RopeLayout rope)
    {
        var pairs = rope.InverseFrequencies.Length;
        var (cos, sin) = (new float[rope.Positions * pairs], new float[rope.Positions * pairs]);
        Parallel.For(0, rope.Positions, position =>
        {
            for (var i = 0; i < pairs; i++)
            {
                // The angle is a float32 product, as where such models are trained; its cosine is that float's.
                var angle = position * rope.InverseFrequencies[i];
                cos[position * pairs + i] = (float)Math.Cos(angle) * rope.Factor;
                sin[position * pairs + i] = (float)Math.Sin(angle) * rope.Factor;
            }
        });
        var bytes = (long)cos.Length * sizeof(float);
        _memory = device.Allocate(Math.Max(1, 2 * bytes));
        (Cos, Sin) = (_memory.Address, _memory.Address + (ulong)bytes);
        stream.Upload(MemoryMarshal.AsBytes(cos.AsSpan()), Cos);
        stream.Upload(MemoryMarshal.AsBytes(sin.AsSpan()), Sin);
    }

    public ulong Cos { get; }

    public ulong Sin { get; }

    public void Dispose() => _memory.Dispose();
}
