using System.Text.Json;

namespace ModelDsl.Testing;

/// <summary>One stored tensor. Reading it as another kind of number than it holds is the caller's mistake and throws.</summary>
public sealed record StoredTensor(string Name, string Dtype, int[] Shape, byte[] Bytes)
{
    /// <summary>Row-major values of a floating-point tensor, exactly.</summary>
    public float[] Floats() => Dtype switch
    {
        "F32" => Read(4, at => BitConverter.ToSingle(Bytes, at)),
        "BF16" => Read(2, at => BitConverter.Int32BitsToSingle(BitConverter.ToUInt16(Bytes, at) << 16)),
        "F16" => Read(2, at => (float)BitConverter.ToHalf(Bytes, at)),
        "F8_E4M3" => Read(1, at => E4M3(Bytes[at])),
        _ => throw new InvalidOperationException($"{Name} holds {Dtype}, not floating-point numbers."),
    };

    /// <summary>Row-major values of an integer tensor.</summary>
    public int[] Ints() => Dtype switch
    {
        "I64" => Read(8, at => checked((int)BitConverter.ToInt64(Bytes, at))),
        "I32" => Read(4, at => BitConverter.ToInt32(Bytes, at)),
        "U8" => Read(1, at => (int)Bytes[at]),
        _ => throw new InvalidOperationException($"{Name} holds {Dtype}, not integers."),
    };

    private T[] Read<T>(int size, Func<int, T> element)
    {
        var values = new T[Bytes.Length / size];
        for (var i = 0; i < values.Length; i++)
            values[i] = element(i * size);
        return values;
    }

    // 1 sign, 4 exponent (bias 7), 3 mantissa bits; no infinities, NaN where all seven lower bits are set.
    private static float E4M3(byte code)
    {
        var (sign, exponent, mantissa) = (code >= 0x80 ? -1f : 1f, (code >> 3) & 15, code & 7);
        if ((code & 0x7f) == 0x7f)
            return float.NaN;
        return sign * (exponent == 0 ? MathF.ScaleB(mantissa, -9) : MathF.ScaleB(8 + mantissa, exponent - 10));
    }
}

/// <summary>A reader of safetensors files for tests, independent of the runtime's.</summary>
public static class Safetensors
{
    /// <summary>All tensors of one file by name.</summary>
    public static Dictionary<string, StoredTensor> Load(string file)
    {
        var bytes = File.ReadAllBytes(file);
        var start = 8 + checked((int)BitConverter.ToInt64(bytes, 0));
        using var header = JsonDocument.Parse(bytes.AsMemory(8, start - 8));
        var tensors = new Dictionary<string, StoredTensor>();
        foreach (var entry in header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            var offsets = entry.Value.GetProperty("data_offsets");
            tensors[entry.Name] = new StoredTensor(
                entry.Name,
                entry.Value.GetProperty("dtype").GetString()!,
                [.. entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())],
                bytes[(start + offsets[0].GetInt32())..(start + offsets[1].GetInt32())]);
        }
        return tensors;
    }

    /// <summary>All tensors of all <c>*.safetensors</c> files of a checkpoint folder.</summary>
    public static Dictionary<string, StoredTensor> LoadFolder(string folder) =>
        Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).SelectMany(Load).ToDictionary();
}
