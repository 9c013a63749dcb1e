using System.Buffers.Binary;
using System.Text;
using ModelDsl.Fuzz.Inputs;
using ModelDsl.Runtime.Checkpoints;

namespace ModelDsl.Fuzz.Kinds;

/// <summary>Weights: a safetensors file, or (where the input begins with a brace) an index beside two good shards.</summary>
internal sealed class SafetensorsKind : FuzzKind
{
    private static readonly string[] Dictionary =
    [
        "dtype", "shape", "data_offsets", "__metadata__", "F32", "BF16", "F16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "I64", "U8", "BOOL", "F64", "F4", "f32", "weight_map", "metadata",
        "total_size", "a-1.safetensors", "a-2.safetensors", "../../etc/passwd", "/etc/passwd", "..", ".", "", "a/b", "t0", "t1", "t2", "nul\0byte", "model.safetensors.index.json",
    ];

    private readonly JsonDamage _damage = new(Dictionary);
    private readonly ScratchFolder _single = new(), _sharded = new();

    public SafetensorsKind()
    {
        _sharded.Write("a-1.safetensors", Good(2));
        _sharded.Write("a-2.safetensors", Good(2, firstName: 2));
    }

    public override string Name => "safetensors";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        Good(1), Good(3), Good(0), Good(40),
        [.. """{"metadata":{"total_size":160},"weight_map":{"t0":"a-1.safetensors","t1":"a-1.safetensors","t2":"a-2.safetensors","t3":"a-2.safetensors"}}"""u8],
    ];

    /// <summary>A well-formed file of tensors <c>t0</c>, <c>t1</c> … of all types.</summary>
    public static byte[] Good(int tensors, int firstName = 0)
    {
        string[] types = ["F32", "BF16", "F8_E4M3", "F64", "F16", "F8_E5M2", "F8_E8M0", "I64", "U8", "BOOL"];
        int[] sizes = [4, 2, 1, 8, 2, 1, 1, 8, 1, 1];
        var header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        var at = 0;
        for (var i = 0; i < tensors; i++)
        {
            var (type, bytes) = (types[i % types.Length], 6 * sizes[i % types.Length]);
            header.Append($",\"t{i + firstName}\":{{\"dtype\":\"{type}\",\"shape\":[2,3],\"data_offsets\":[{at},{at + bytes}]}}");
            at += bytes;
        }

        return Assemble(Encoding.UTF8.GetBytes(header.Append('}').ToString()), null, new byte[at]);
    }

    public override byte[] Make(byte[] known, byte[] other, Random random)
    {
        if (known is [(byte)'{', ..]) return _damage.Spoil(known, other, random);
        if (known.Length < 8 || random.Next(6) == 0) return TextDamage.SpoilBytes(known, random);
        var length = (int)Math.Min((ulong)known.Length - 8, BinaryPrimitives.ReadUInt64LittleEndian(known));
        var header = _damage.Spoil(known[8..(8 + length)], other.Length > 8 ? other[8..] : other, random);
        ulong[] claims = [0, 1, 8, (ulong)header.Length + 1, (ulong)header.Length - 1, 1UL << 60, 1UL << 63, ulong.MaxValue, int.MaxValue, uint.MaxValue, 100_000_000];
        return Assemble(header, random.Next(8) == 0 ? claims[random.Next(claims.Length)] : null, known[(8 + length)..]);
    }

    public override string Check(byte[] input)
    {
        var isIndex = input is [(byte)'{', ..];
        var folder = isIndex ? _sharded : _single;
        folder.Write(isIndex ? "model.safetensors.index.json" : "model.safetensors", input);
        try
        {
            using var checkpoint = Checkpoint.Open(folder.Path);
            foreach (var tensor in checkpoint.Tensors.Values) Touch(tensor, folder.Path);
            return $"{checkpoint.Tensors.Count} tensors";
        }
        catch (CheckpointException refused)
        {
            return Gist(refused.Message[Math.Min(refused.Message.Length, folder.Path.Length)..]);
        }
    }

    public override void Dispose()
    {
        _single.Dispose();
        _sharded.Dispose();
    }

    private static void Touch(StoredTensor tensor, string folder)
    {
        if (Path.GetDirectoryName(tensor.File) != folder) throw new ViolationException($"a tensor was taken from outside the folder: {tensor.File}");
        if (tensor.Bytes == 0) return;
        var sum = tensor.Slice(0, 1)[0] + tensor.Slice(tensor.Bytes - 1, 1)[0];
        if (sum < 0) throw new ViolationException("bytes below zero");
        if (!tensor.Type.IsFloat()) return;
        tensor.ReadFloats(0, stackalloc float[(int)Math.Min(64, tensor.Count)]);
        tensor.ReadFloats(tensor.Count - 1, stackalloc float[1]);
    }

    private static byte[] Assemble(byte[] header, ulong? claim, byte[] data)
    {
        var file = new byte[8 + header.Length + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(file, claim ?? (ulong)header.Length);
        header.CopyTo(file, 8);
        data.CopyTo(file, 8 + header.Length);
        return file;
    }
}
