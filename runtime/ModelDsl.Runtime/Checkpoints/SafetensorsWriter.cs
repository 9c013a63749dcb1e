using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using ModelDsl.Runtime.Files;

namespace ModelDsl.Runtime.Checkpoints;

/// <summary>
/// Collects tensors and writes them as one safetensors file. The file appears whole or not at all: it is written beside its
/// place and moved there.
/// </summary>
public sealed class SafetensorsWriter
{
    private readonly List<(string Name, StorageType Type, long[] Shape, byte[] Data)> _tensors = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>Refuses a path whose folder is not there: better before a long computation than after it.</summary>
    /// <exception cref="CheckpointException">There is no such folder.</exception>
    public static void CheckFolder(string path)
    {
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
            throw new CheckpointException(path, null, "cannot be written: there is no such folder");
    }

    public void Add(string name, ReadOnlySpan<float> values, params long[] shape) =>
        Add(name, StorageType.F32, MemoryMarshal.AsBytes(values), shape);

    public void Add(string name, ReadOnlySpan<int> values, params long[] shape) =>
        Add(name, StorageType.I32, MemoryMarshal.AsBytes(values), shape);

    public void Add(string name, ReadOnlySpan<long> values, params long[] shape) =>
        Add(name, StorageType.I64, MemoryMarshal.AsBytes(values), shape);

    /// <summary>Adds a copy of row-major data.</summary>
    /// <exception cref="ArgumentException">The name is taken, or the data does not fill the shape.</exception>
    public void Add(string name, StorageType type, ReadOnlySpan<byte> data, params long[] shape)
    {
        if (shape.Aggregate((long)type.Bytes(), (bytes, size) => checked(bytes * size)) != data.Length)
            throw new ArgumentException($"{data.Length} bytes do not fill {type.Name()} [{string.Join(", ", shape)}].", nameof(data));
        if (!_names.Add(name)) throw new ArgumentException($"There is a tensor {name} already.", nameof(name));
        _tensors.Add((name, type, shape, data.ToArray()));
    }

    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    public void Write(string path)
    {
        try
        {
            using var temporary = new TemporaryFile(path);
            using (var stream = File.Create(temporary.Path))
            {
                var header = Header();
                Span<byte> length = stackalloc byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
                stream.Write(length);
                stream.Write(header);
                foreach (var tensor in _tensors) stream.Write(tensor.Data);
            }
            temporary.Keep();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, null, "cannot be written: " + e.Message, e);
        }
    }

    // Padded with spaces so that the data starts at a multiple of eight, as readers that map the file expect.
    private byte[] Header()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            var offset = 0L;
            json.WriteStartObject();
            foreach (var (name, type, shape, data) in _tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", type.Name());
                json.WriteStartArray("shape");
                foreach (var size in shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += data.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (text.Length % 8 != 0) text.WriteByte((byte)' ');
        return text.ToArray();
    }
}
