using System.Text.Json;

namespace ModelDsl.Runtime.Checkpoints;

/// <summary>One entry of a header. Offsets count from the first byte after the header.</summary>
internal sealed record TensorHeader(string Name, StorageType Type, long[] Shape, long Begin, long End);

/// <summary>Reads the JSON header of a safetensors file and believes nothing of it.</summary>
internal static class SafetensorsHeader
{
    /// <param name="json">The header's text.</param>
    /// <param name="dataBytes">Bytes of the file after the header.</param>
    public static List<TensorHeader> Parse(string file, ReadOnlySpan<byte> json, long dataBytes)
    {
        var tensors = new List<TensorHeader>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            var reader = new Utf8JsonReader(json);
            Expect(file, ref reader, JsonTokenType.StartObject, "the header");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                if (!names.Add(name)) throw new CheckpointException(file, name, "appears twice in the header");
                if (name == "__metadata__") reader.Skip();
                else tensors.Add(ParseTensor(file, name, ref reader, dataBytes));
            }
            while (reader.Read())
            {
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new CheckpointException(file, null, "the header is not JSON as safetensors want it: " + e.Message, e);
        }
        RefuseOverlaps(file, tensors);
        return tensors;
    }

    private static TensorHeader ParseTensor(string file, string name, ref Utf8JsonReader reader, long dataBytes)
    {
        string? dtype = null;
        List<long>? shape = null, offsets = null;
        Expect(file, ref reader, JsonTokenType.StartObject, "the entry of " + name);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("dtype"u8))
            {
                reader.Read();
                dtype = reader.GetString();
            }
            else if (reader.ValueTextEquals("shape"u8)) shape = ParseNumbers(file, name, ref reader);
            else if (reader.ValueTextEquals("data_offsets"u8)) offsets = ParseNumbers(file, name, ref reader);
            else reader.Skip();
        }

        if (dtype is null || shape is null || offsets is not { Count: 2 })
            throw new CheckpointException(file, name, "needs dtype, shape and two data_offsets");
        var type = StorageTypes.Parse(dtype)
            ?? throw new CheckpointException(file, name, $"has the unknown dtype '{dtype}'");
        var (begin, end) = (offsets[0], offsets[1]);
        if (begin > end || end > dataBytes)
            throw new CheckpointException(file, name, $"lies at bytes {begin} to {end}, but the file holds {dataBytes} bytes of data");
        if (CountBytes(shape, type) is not { } bytes || bytes != end - begin)
            throw new CheckpointException(
                file, name, $"takes {end - begin} bytes, but {dtype} [{string.Join(", ", shape)}] needs another number");
        return new TensorHeader(name, type, [.. shape], begin, end);
    }

    private static List<long> ParseNumbers(string file, string name, ref Utf8JsonReader reader)
    {
        var numbers = new List<long>();
        Expect(file, ref reader, JsonTokenType.StartArray, "shape or data_offsets of " + name);
        while (reader.Read() && reader.TokenType == JsonTokenType.Number)
        {
            if (!reader.TryGetInt64(out var number) || number < 0)
                throw new CheckpointException(file, name, "has a size or an offset that is not a natural number");
            numbers.Add(number);
        }
        if (reader.TokenType != JsonTokenType.EndArray)
            throw new CheckpointException(file, name, "has a size or an offset that is not a number");
        return numbers;
    }

    private static long? CountBytes(List<long> shape, StorageType type)
    {
        if (shape.Contains(0)) return 0;
        long bytes = type.Bytes();
        foreach (var size in shape)
        {
            if (bytes > long.MaxValue / size) return null;
            bytes *= size;
        }
        return bytes;
    }

    private static void RefuseOverlaps(string file, List<TensorHeader> tensors)
    {
        TensorHeader? previous = null;
        foreach (var tensor in tensors.Where(t => t.End > t.Begin).OrderBy(t => t.Begin))
        {
            if (previous is not null && tensor.Begin < previous.End)
                throw new CheckpointException(file, tensor.Name, $"overlaps tensor {previous.Name}");
            previous = tensor;
        }
    }

    private static void Expect(string file, ref Utf8JsonReader reader, JsonTokenType token, string where)
    {
        if (!reader.Read() || reader.TokenType != token)
            throw new CheckpointException(file, null, $"{where} should be {(token == JsonTokenType.StartObject ? "an object" : "a list")}");
    }
}
