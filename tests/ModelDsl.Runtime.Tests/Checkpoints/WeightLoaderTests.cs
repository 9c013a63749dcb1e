using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.Tests.Checkpoints;

public class WeightLoaderTests
{
    private static readonly string[] Everything = ["model.", "lm_head."];

    private static string Micro(params string[] parts) => Repository.PathTo(["tests", "goldens", "micro", .. parts]);

    [Fact]
    public void Quantising_micro_gives_the_reference_codes_and_scales() => QuantisesToReference(Micro());

    [SharedFact]
    public void Quantising_tiny_aligned_gives_the_reference_codes_and_scales() =>
        QuantisesToReference(Repository.SharedPath("goldens", "tiny-aligned"));

    [Fact]
    public void Fp8_tensors_dequantise_by_block_also_at_a_ragged_edge()
    {
        var stored = Safetensors.LoadFolder(Micro("fp8", "checkpoint"));
        foreach (var part in (string[])["self_attn.kv_a_proj_with_mqa", "mlp.gate_proj", "mlp.down_proj"])
        {
            var name = $"model.layers.0.{part}.weight";
            var (rows, columns) = (stored[name].Shape[0], stored[name].Shape[1]);
            var (codes, scales) = (stored[name].Floats(), stored[name + "_scale_inv"].Floats());
            var scaleColumns = (columns + 127) / 128;
            var expected = new float[rows * columns];
            for (var i = 0; i < expected.Length; i++)
                expected[i] = codes[i] * scales[i / columns / 128 * scaleColumns + i % columns / 128];

            Assert.Equal(
                expected, MemoryMarshal.Cast<byte, float>(LoadOne(Micro("fp8", "checkpoint"), name, WeightType.F32, out _)).ToArray());
            var bf16 = MemoryMarshal.Cast<byte, ushort>(LoadOne(Micro("fp8", "checkpoint"), name, WeightType.BF16, out _)).ToArray();
            Assert.Equal(expected.Select(Runtime.Numerics.BFloat16.FromSingle), bf16);
        }
    }

    [Fact]
    public void Fp8_tensors_stay_what_they_are_where_the_device_wants_fp8()
    {
        const string name = "model.layers.1.self_attn.kv_b_proj.weight";
        var stored = Safetensors.LoadFolder(Micro("fp8", "checkpoint"));
        var codes = LoadOne(Micro("fp8", "checkpoint"), name, WeightType.E4M3, out var scales);
        Assert.Equal(stored[name].Bytes, codes);
        Assert.Equal(stored[name + "_scale_inv"].Bytes, scales);
    }

    [Fact]
    public void Parts_are_stacked_by_rows_and_what_no_part_fills_is_zero()
    {
        var stored = Safetensors.LoadFolder(Micro("checkpoint"));
        const string gate = "model.layers.0.mlp.gate_proj.weight", up = "model.layers.0.mlp.up_proj.weight";
        var binding = new WeightBinding(WeightType.BF16, 400, 128, 256, null, new(gate, 192), new(up, 192, Row: 200));
        var loaded = Load(Micro("checkpoint"), binding, 256 + 400 * 128 * 2);
        var (gap, rest) = (new byte[8 * 256], new byte[8 * 256]);
        Assert.Equal([.. stored[gate].Bytes, .. gap, .. stored[up].Bytes, .. rest], loaded[256..]);
    }

    [Fact]
    public void Every_tensor_at_fault_is_named_in_one_error()
    {
        using var checkpoint = Checkpoint.Open(Micro("checkpoint"));
        using var device = new HostDevice();
        WeightBinding[] weights =
        [
            new(WeightType.F32, 1, 128, 0, null, new WeightPart("model.norm.weight", 1)),
            new(WeightType.F32, 256, 100, 0, null, new WeightPart("model.embed_tokens.weight", 256)),
            new(WeightType.F32, 1, 128, 0, null, new WeightPart("model.layers.9.input_layernorm.weight", 1)),
        ];
        var e =
            Assert.Throws<CheckpointException>(() => WeightLoader.Load(checkpoint, weights, ["model.layers."], device.CreateStream(), 0));
        Assert.Equal(
            $"""
            {Micro("checkpoint")}: does not fit the model
              1 missing:
                model.layers.9.input_layernorm.weight
              1 of another shape or type:
                model.embed_tokens.weight is BF16 [256, 128], should be [256, 100]
              1 unexpected:
                lm_head.weight
            """.ReplaceLineEndings("\n"),
            e.Message);
    }

    [Fact]
    public void A_missing_scale_is_missing_and_a_scale_may_lie_in_another_file()
    {
        using var scratch = new Scratch();
        var codes = new SafetensorsWriter();
        codes.Add("model.w.weight", StorageType.F8E4M3, [0x38, 0xb8], 1, 2);
        codes.Write(scratch["model.safetensors"]);
        Assert.Contains("model.w.weight_scale_inv", Assert.Throws<CheckpointException>(
            () => LoadOne(scratch.Folder, "model.w.weight", WeightType.F32, out _)).Message);

        var scales = new SafetensorsWriter();
        scales.Add("model.w.weight_scale_inv", [0.5f], 1, 1);
        scales.Write(scratch["scales.safetensors"]);
        File.WriteAllText(
            scratch["model.safetensors.index.json"],
            """{"weight_map":{"model.w.weight":"model.safetensors","model.w.weight_scale_inv":"scales.safetensors"}}""");
        Assert.Equal(
            [0.5f, -0.5f], MemoryMarshal.Cast<byte, float>(LoadOne(scratch.Folder, "model.w.weight", WeightType.F32, out _)).ToArray());
    }

    private static void QuantisesToReference(string goldens)
    {
        using var reference = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(goldens, "fp8", "quantized_sha256.json")));
        var compared = 0;
        foreach (var entry in reference.RootElement.EnumerateObject())
        {
            var codes = LoadOne(Path.Combine(goldens, "checkpoint"), entry.Name, WeightType.E4M3, out var scales);
            Assert.Equal((entry.Name, entry.Value.GetProperty("fp8").GetString()), (entry.Name, Hash(codes)));
            Assert.Equal((entry.Name, entry.Value.GetProperty("scale_inv").GetString()), (entry.Name, Hash(scales)));
            compared++;
        }
        Assert.True(compared > 50, $"only {compared} tensors compared");
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static byte[] LoadOne(string folder, string tensor, WeightType type, out byte[] scales)
    {
        using var checkpoint = Checkpoint.Open(folder);
        var shape = checkpoint.Tensors[tensor].Shape;
        var (rows, columns) = shape.Count == 1 ? (1, (int)shape[0]) : ((int)shape[0], (int)shape[1]);
        var bytes = rows * columns * (type switch { WeightType.F32 => 4, WeightType.BF16 => 2, _ => 1 });
        var scaleBytes = type == WeightType.E4M3 ? (rows + 127) / 128 * ((columns + 127) / 128) * 4 : 0;
        var blocks = type == WeightType.E4M3 ? new WeightScales((rows + 127) / 128, bytes) : null;
        var loaded = Load(folder, new WeightBinding(type, rows, columns, 0, blocks, new WeightPart(tensor, rows)), bytes + scaleBytes);
        scales = loaded[bytes..];
        return loaded[..bytes];
    }

    private static byte[] Load(string folder, WeightBinding binding, int bytes)
    {
        using var checkpoint = Checkpoint.Open(folder);
        using var device = new HostDevice();
        using var stream = device.CreateStream();
        using var arena = device.Allocate(bytes);
        stream.Fill(arena.Address, 0xee, bytes);
        WeightLoader.Load(checkpoint, [binding], Everything, stream, arena.Address);
        var loaded = new byte[bytes];
        stream.Download(arena.Address, loaded);
        return loaded;
    }
}
