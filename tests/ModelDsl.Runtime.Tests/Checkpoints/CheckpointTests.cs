using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.Tests.Checkpoints;

public class CheckpointTests
{
    private static string Micro(params string[] parts) => Repository.PathTo(["tests", "goldens", "micro", .. parts]);

    [Fact]
    public void A_sharded_checkpoint_reads_like_an_independent_reader_reads_it()
    {
        using var checkpoint = Checkpoint.Open(Micro("checkpoint"));
        var expected = Safetensors.LoadFolder(Micro("checkpoint"));
        Assert.Equal(expected.Keys.Order(), checkpoint.Tensors.Keys.Order());
        foreach (var (name, tensor) in checkpoint.Tensors)
        {
            Assert.Equal(expected[name].Shape.Select(size => (long)size), tensor.Shape);
            var values = new float[tensor.Count];
            tensor.ReadFloats(0, values);
            Assert.Equal(expected[name].Floats(), values);
        }
        Assert.Equal([1], checkpoint.Config.EosTokenIds);
        Assert.Equal(0, checkpoint.Config.BosTokenId);
    }

    [Fact]
    public void A_single_file_reads_with_its_fp8_tensors()
    {
        using var checkpoint = Checkpoint.Open(Micro("fp8", "checkpoint"));
        var expected = Safetensors.LoadFolder(Micro("fp8", "checkpoint"));
        var weight = checkpoint.Tensors["model.layers.1.self_attn.kv_a_proj_with_mqa.weight"];
        Assert.Equal("F8_E4M3 [80, 128]", weight.ToString());
        var values = new float[weight.Count];
        weight.ReadFloats(0, values);
        Assert.Equal(expected[weight.Name].Floats(), values);
        Assert.Equal((128, 128), (checkpoint.Config.BlockRows, checkpoint.Config.BlockColumns));
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"I8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"I8","shape":[8],"data_offsets":[4,12]}}""", "b", "overlaps")]
    [InlineData("""{"a":{"dtype":"I8","shape":[8],"data_offsets":[8,16]},"a":{"dtype":"I8","shape":[8],"data_offsets":[0,8]}}""", "a", "twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}""", "a", "lies at bytes 12 to 20, but the file holds 16")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "a", "takes 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}""", "a", "takes 4 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "a", "not a natural number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "a", "not a natural number")]
    [InlineData("""{"a":{"dtype":"F32","shape":["x"],"data_offsets":[0,8]}}""", "a", "not a number")]
    [InlineData("""{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", "a", "unknown dtype 'F33'")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", "a", "needs dtype")]
    [InlineData("""{"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}""", null, "not JSON as safetensors want it")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", null, "not JSON as safetensors want it")]
    [InlineData("""["a"]""", null, "should be an object")]
    [InlineData("", null, "")]
    public void A_bad_header_is_refused_with_file_tensor_and_cause(string header, string? tensor, string cause)
    {
        using var scratch = new Scratch();
        var file = scratch.Safetensors("model.safetensors", header, 16);
        var e = Assert.Throws<CheckpointException>(() => Checkpoint.Open(scratch.Folder));
        Assert.Equal((file, tensor), (e.File, e.Tensor));
        Assert.Contains(cause, e.Message);
    }

    [Fact]
    public void A_header_longer_than_the_file_is_refused_before_anything_is_allocated()
    {
        using var scratch = new Scratch();
        foreach (var length in (long[])[9, 99_999_999, 100_000_001, long.MaxValue, -1])
        {
            File.WriteAllBytes(scratch["model.safetensors"], [.. BitConverter.GetBytes(length), 1, 2]);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Contains("claims a header", Assert.Throws<CheckpointException>(() => Checkpoint.Open(scratch.Folder)).Message);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
        }
        File.WriteAllBytes(scratch["model.safetensors"], [1, 2, 3]);
        Assert.Contains("has 3 bytes", Assert.Throws<CheckpointException>(() => Checkpoint.Open(scratch.Folder)).Message);
    }

    [Fact]
    public void A_tensor_beyond_two_gigabytes_is_read_where_it_lies()
    {
        using var scratch = new Scratch();
        const long large = 3L << 30;
        var header = $$$"""
            {
                "large": {"dtype": "BF16", "shape": [{{{large / 2}}}], "data_offsets": [0, {{{large}}}]},
                "last": {"dtype": "F32", "shape": [2], "data_offsets": [{{{large}}}, {{{large + 8}}}]}
            }
            """;
        var file = scratch.Safetensors("model.safetensors", header, 0);
        using (var stream = File.OpenWrite(file))
        {
            // Never written in between: the file takes a few kilobytes of disk.
            stream.Seek(large - 2, SeekOrigin.End);
            stream.Write([0x40, 0x40, 0, 0, 0xc0, 0x3f, 0, 0, 0x20, 0xc0]);
        }

        using var checkpoint = Checkpoint.Open(scratch.Folder);
        var (first, second) = (new float[1], new float[2]);
        checkpoint.Tensors["large"].ReadFloats(large / 2 - 1, first);
        checkpoint.Tensors["last"].ReadFloats(0, second);
        Assert.Equal([3], first);
        Assert.Equal([1.5f, -2.5f], second);
    }

    [Fact]
    public void Deep_nesting_in_a_header_is_refused()
    {
        using var scratch = new Scratch();
        scratch.Safetensors("model.safetensors", $$"""{"__metadata__":{{new string('[', 100_000)}}""", 0);
        Assert.Throws<CheckpointException>(() => Checkpoint.Open(scratch.Folder));
    }

    [Fact]
    public void Folders_without_a_whole_checkpoint_are_refused()
    {
        using var scratch = new Scratch();
        Assert.Contains("no such folder", Refusal(scratch["nowhere"]));
        Assert.Contains("holds neither", Refusal(scratch.Folder));

        scratch.Safetensors("one.safetensors", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4);
        File.WriteAllText(scratch["model.safetensors.index.json"], """{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""");
        Assert.Contains("1 tensors should be in two.safetensors, which is not there", Refusal(scratch.Folder));

        File.WriteAllText(scratch["model.safetensors.index.json"], """{"weight_map":{"a":"one.safetensors","b":"one.safetensors"}}""");
        Assert.Contains("tensor b: should be in one.safetensors, but is not", Refusal(scratch.Folder));

        File.WriteAllText(scratch["model.safetensors.index.json"], """{"weight_map":{"a":"../one.safetensors"}}""");
        Assert.Contains("beside the index", Refusal(scratch.Folder));

        File.WriteAllText(scratch["model.safetensors.index.json"], """{"weights":1}""");
        Assert.Contains("no weight_map", Refusal(scratch.Folder));

        File.WriteAllText(scratch["config.json"], """{"quantization_config":{"weight_block_size":[0]}}""");
        Assert.Contains("two positive numbers", Refusal(scratch.Folder));
    }

    [Fact]
    public void What_the_writer_writes_an_independent_reader_reads()
    {
        using var scratch = new Scratch();
        var writer = new SafetensorsWriter();
        writer.Add("logits", [1.5f, -2, 3, 4, 5, 6], 2, 3);
        writer.Add("router.1.indices", [7, 9], 1, 2);
        writer.Add("tokens", [1L, 1L << 33], 2);
        Assert.Throws<ArgumentException>(() => writer.Add("logits", [1f], 1));
        Assert.Throws<ArgumentException>(() => writer.Add("short", [1f], 2));
        writer.Write(scratch["out.safetensors"]);

        Assert.Equal(["out.safetensors"], Directory.GetFiles(scratch.Folder).Select(Path.GetFileName));
        var tensors = Safetensors.Load(scratch["out.safetensors"]);
        Assert.Equal([1.5f, -2, 3, 4, 5, 6], tensors["logits"].Floats());
        Assert.Equal([2, 3], tensors["logits"].Shape);
        Assert.Equal([7, 9], tensors["router.1.indices"].Ints());
        Assert.Equal("I64", tensors["tokens"].Dtype);
        Assert.Equal(1L << 33, BitConverter.ToInt64(tensors["tokens"].Bytes, 8));
        Assert.Throws<CheckpointException>(() => writer.Write(scratch["no/such/folder.safetensors"]));
    }

    private static string Refusal(string folder) => Assert.Throws<CheckpointException>(() => Checkpoint.Open(folder)).Message;
}
