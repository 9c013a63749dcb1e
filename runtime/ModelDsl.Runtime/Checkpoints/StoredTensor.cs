using System.Globalization;
using System.Runtime.InteropServices;
using ModelDsl.Runtime.Numerics;

namespace ModelDsl.Runtime.Checkpoints;

/// <summary>A tensor of a mapped file: row-major, contiguous, valid while its <see cref="Checkpoint"/> is open.</summary>
public sealed unsafe class StoredTensor
{
    private readonly byte* _data;

    internal StoredTensor(TensorHeader header, string file, byte* data)
    {
        (Name, Type, Shape, File) = (header.Name, header.Type, header.Shape, file);
        Bytes = header.End - header.Begin;
        _data = data;
    }

    public string Name { get; }

    public StorageType Type { get; }

    /// <summary>Sizes, outermost first; empty for a single number.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The file it lies in.</summary>
    public string File { get; }

    public long Bytes { get; }

    public long Count => Bytes / Type.Bytes();

    /// <summary>Bytes from an offset on; the whole of a tensor may be more than a span can hold.</summary>
    public ReadOnlySpan<byte> Slice(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, Bytes);
        return new ReadOnlySpan<byte>(_data + offset, length);
    }

    /// <summary>Elements from index <paramref name="first"/> on, as float32: exact for all formats up to 32 bits.</summary>
    /// <exception cref="CheckpointException">The tensor does not hold floating-point numbers.</exception>
    public void ReadFloats(long first, Span<float> destination)
    {
        var size = Type.Bytes();
        var bytes = Slice(first * size, destination.Length * size);
        switch (Type)
        {
            case StorageType.F32:
                bytes.CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            case StorageType.BF16:
                BFloat16.Widen(MemoryMarshal.Cast<byte, ushort>(bytes), destination);
                break;
            case StorageType.F16:
                Float16.Widen(MemoryMarshal.Cast<byte, ushort>(bytes), destination);
                break;
            case StorageType.F8E4M3:
                E4M3.Widen(bytes, destination);
                break;
            case StorageType.F8E5M2:
                E5M2.Widen(bytes, destination);
                break;
            case StorageType.F8E8M0:
                for (var i = 0; i < bytes.Length; i++) destination[i] = MathF.ScaleB(1, bytes[i] - 127);
                break;
            case StorageType.F64:
                var doubles = MemoryMarshal.Cast<byte, double>(bytes);
                for (var i = 0; i < doubles.Length; i++) destination[i] = (float)doubles[i];
                break;
            default:
                throw new CheckpointException(File, Name, $"holds {Type.Name()}, not floating-point numbers");
        }
    }

    /// <summary><c>BF16 [1536, 7168]</c></summary>
    public override string ToString() =>
        $"{Type.Name()} [{string.Join(", ", Shape.Select(size => size.ToString(CultureInfo.InvariantCulture)))}]";
}
