using System.Buffers.Binary;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Cli.Execution;

/// <summary>A buffer argument in device memory.</summary>
internal sealed class DeviceBuffer : IDisposable
{
    private const int ChunkBytes = 4 << 20, PartBytes = 64 << 10;
    private readonly IStream _stream;

    public DeviceBuffer(string name, BufferArgument argument, IDevice device, IStream stream)
    {
        (Name, Argument, _stream) = (name, argument, stream);
        Memory = device.Allocate(argument.Bytes);
        if (argument.Content is BufferContent.Fill fill && fill.Element.All(value => value == fill.Element[0])) stream.Fill(Memory.Address, fill.Element[0], argument.Bytes);
        else if (argument.Content is not BufferContent.Uninitialised) Upload();
    }

    /// <summary><c>arg2</c>, by its place among the arguments; <c>arg2.0</c> inside a structure.</summary>
    public string Name { get; }

    public BufferArgument Argument { get; }

    public DeviceMemory Memory { get; }

    public byte[] Download()
    {
        var bytes = new byte[Argument.Bytes];
        _stream.Download(Memory.Address, bytes);
        return bytes;
    }

    public void Dispose() => Memory.Dispose();

    private void Upload()
    {
        var chunk = new byte[Math.Min(ChunkBytes, Argument.Bytes)];
        for (long at = 0; at < Argument.Bytes; at += chunk.Length)
        {
            var (start, bytes) = (at, (int)Math.Min(chunk.Length, Argument.Bytes - at));
            Parallel.For(0, (bytes + PartBytes - 1) / PartBytes, part =>
                Write(start + part * PartBytes, chunk.AsSpan(part * PartBytes, Math.Min(PartBytes, bytes - part * PartBytes))));
            _stream.Upload(chunk.AsSpan(0, bytes), Memory.Address + (ulong)at);
        }
    }

    private void Write(long at, Span<byte> part)
    {
        var (type, size) = (Argument.Type, Argument.Type.Bytes());
        var first = at / size;
        switch (Argument.Content)
        {
            case BufferContent.Fill fill:
                for (var i = 0; i < part.Length; i += size) fill.Element.CopyTo(part[i..]);
                break;
            case BufferContent.Values values:
                values.Bytes.AsSpan((int)at, part.Length).CopyTo(part);
                break;
            case BufferContent.Stored stored:
                stored.Tensor.Slice(at, part.Length).CopyTo(part);
                break;
            case BufferContent.Iota:
                for (var i = 0; i < part.Length / size; i++) Iota(type, first + i).CopyTo(part[(i * size)..]);
                break;
            case BufferContent.Uniform uniform:
                for (var i = 0; i < part.Length / size; i++) Random(type, uniform, first + i, part.Slice(i * size, size));
                break;
        }
    }

    /// <summary>Integers wrap around where the type ends.</summary>
    private static ReadOnlySpan<byte> Iota(StorageType type, long index)
    {
        if (type.IsFloat()) return ElementType.Nearest(type, index);
        var word = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(word, index);
        return word.AsSpan(0, type.Bytes());
    }

    /// <summary>Element <paramref name="index"/> of SplitMix64 started at the seed: the same on every machine, whatever the buffer's length.</summary>
    private static void Random(StorageType type, BufferContent.Uniform uniform, long index, Span<byte> element)
    {
        var z = unchecked(uniform.Seed + (0x9E3779B97F4A7C15 * ((ulong)index + 1)));
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        z ^= z >> 31;
        var unit = (z >> 11) * (1.0 / (1UL << 53));
        if (type.IsFloat())
        {
            var (low, high) = (uniform.Low ?? -1, uniform.High ?? 1);
            // 24 bits, so that a single is exact and below the upper bound.
            var fraction = type == StorageType.F64 ? unit : (z >> 40) * (1.0 / (1 << 24));
            ElementType.Nearest(type, low + (high - low) * fraction).CopyTo(element);
        }
        else if (uniform is { Low: { } low, High: { } high })
        {
            ElementType.Nearest(type, Math.Floor(low + unit * (high - low + 1))).CopyTo(element);
        }
        else
        {
            Span<byte> word = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(word, type == StorageType.Bool ? z & 1 : z);
            word[..element.Length].CopyTo(element);
        }
    }
}
