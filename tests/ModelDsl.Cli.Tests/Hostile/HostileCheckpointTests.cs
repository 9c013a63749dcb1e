using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests.Hostile;

/// <summary>Checkpoints that are damaged or mean harm, through the whole tool: exit code 3 and a message that names the file.</summary>
public sealed class HostileCheckpointTests : IDisposable
{
    private static readonly string Sample = Repository.PathTo("samples", "tiny-v3", "tiny-v3.dsm");
    private static readonly string Good = Repository.PathTo("samples", "tiny-v3", "checkpoint");

    private readonly TemporaryFolder _folder = new();

    public HostileCheckpointTests()
    {
        foreach (var file in Directory.GetFiles(Good)) File.Copy(file, _folder.File(Path.GetFileName(file)));
    }

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Headers => new()
    {
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", "natural number" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9223372036854775807]}}", "holds 64 bytes of data" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4611686018427387904],\"data_offsets\":[0,8]}}", "needs another number" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", "overlaps" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", "twice" },
        { "{\"a\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,8]}}", "unknown dtype" },
        { new string('[', 10_000), "header" },
        { "{\"a\":3}", "the entry of a should be an object" },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void A_bad_header_is_named(string header, string cause)
    {
        Weights(header, (ulong)Encoding.UTF8.GetByteCount(header));
        Refused(cause, "model.safetensors");
    }

    [Theory]
    [InlineData(1UL << 60)]
    [InlineData(1UL << 63)]
    [InlineData(ulong.MaxValue)]
    [InlineData(99_999_999UL)]
    public void A_header_that_claims_to_be_huge_allocates_nothing(ulong length)
    {
        Weights("{}", length);
        // Of this thread: other tests run beside it.
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.ThrowsAny<Runtime.Checkpoints.CheckpointException>(() => Runtime.Checkpoints.Checkpoint.Open(_folder.Path));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        Refused("claims a header", "model.safetensors");
    }

    [Fact]
    public void A_file_cut_short_is_named()
    {
        using (var stream = File.OpenWrite(_folder.File("model.safetensors"))) stream.SetLength(stream.Length / 2);
        Refused("lies at bytes", "model.safetensors");
    }

    [Theory]
    [InlineData("../../../../../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("a\\u0000b")]
    public void A_shard_outside_the_folder_is_not_opened(string shard)
    {
        File.Delete(_folder.File("model.safetensors"));
        _folder.Write("model.safetensors.index.json", $"{{\"weight_map\":{{\"a\":\"{shard}\"}}}}");
        Refused("beside the index", "index.json");
    }

    [Fact]
    public void Links_that_lead_in_a_circle_and_pipes_are_trouble()
    {
        File.Delete(_folder.File("model.safetensors"));
        File.CreateSymbolicLink(_folder.File("model.safetensors"), _folder.File("model.safetensors.index.json"));
        File.CreateSymbolicLink(_folder.File("model.safetensors.index.json"), _folder.File("model.safetensors"));
        Refused("", "");
        File.Delete(_folder.File("model.safetensors"));
        File.Delete(_folder.File("model.safetensors.index.json"));
        using (var make = Process.Start("mkfifo", [_folder.File("model.safetensors")])) make.WaitForExit();
        Refused("0 bytes", "model.safetensors");
    }

    [Theory]
    [InlineData("config.json", "{\"eos_token_id\": 1e99}")]
    [InlineData("config.json", "{\"quantization_config\": {\"weight_block_size\": [0, -1]}}")]
    [InlineData("config.json", "[")]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 4000000000}, \"merges\": []}}")]
    [InlineData("tokenizer.json", "")]
    [InlineData("tokenizer_config.json", "{\"add_bos_token\": 3}")]
    [InlineData("model.safetensors", "")]
    public void A_bad_file_beside_the_weights_is_named(string file, string text)
    {
        _folder.Write(file, text);
        Refused("", file);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    public void A_missing_file_is_named(string file)
    {
        File.Delete(_folder.File(file));
        Refused("", file);
    }

    /// <summary>A deep nest of JSON must not take the stack with it.</summary>
    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    public void Ten_thousand_brackets_are_no_configuration(string file)
    {
        _folder.Write(file, string.Concat(Enumerable.Repeat("{\"a\":[", 5000)));
        Refused("", file);
    }

    [Theory]
    [InlineData("(a+)+$")]
    [InlineData("(a|a)+b")]
    [InlineData("(?:a*?a*?)*b")]
    [InlineData("(a{1,1000}){1,1000}")]
    public void An_expression_that_backtracks_without_end_is_stopped(string expression)
    {
        var text = File.ReadAllText(_folder.File("tokenizer.json"));
        var file = System.Text.Json.Nodes.JsonNode.Parse(text)!;
        file["pre_tokenizer"] = System.Text.Json.Nodes.JsonNode.Parse($$"""
            {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "{{expression}}"}, "behavior": "Isolated", "invert": false},
             {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}
            """);
        _folder.Write("tokenizer.json", file.ToJsonString());
        var run = Dsmc.RunOn(new string('a', 20_000) + "!", "tokenize", "--tokenizer", _folder.Path);
        Assert.True(run.ExitCode is ExitCode.Success or ExitCode.Trouble);
    }

    [Theory]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}")]
    [InlineData("{{ range(1000000000) }}")]
    [InlineData("{{ 'a' * 1000000000 }}")]
    [InlineData("{{ 9 ** (9 ** 9) }}")]
    [InlineData("{% set ns = namespace(a='x') %}{% for i in range(99999) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")]
    [InlineData("{{ [[[[messages] * 1000] * 1000] * 1000] | tojson }}")]
    [InlineData("{{ messages | tojson(indent=2000000000) }}")]
    [InlineData("{% macro f() %}{% set x = range(100000) %}{{ f() }}{% endmacro %}{{ f() }}")]
    [InlineData("{% set n = namespace(a=[1], b=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}")]
    [InlineData("{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}")]
    [InlineData("{% set n = namespace(a=[9 ** 1000]) %}{% for i in range(22) %}{% set n.a = n.a + n.a %}{% endfor %}{{ n.a }}")]
    public void A_template_that_would_not_end_is_stopped(string template)
    {
        _folder.Write("tokenizer_config.json", System.Text.Json.JsonSerializer.Serialize(new { chat_template = template }));
        var run = Dsmc.RunOn("[{\"role\":\"user\",\"content\":\"hi\"}]", "tokenize", "--tokenizer", _folder.Path, "--chat");
        Assert.Equal(ExitCode.Trouble, run.ExitCode);
        Assert.DoesNotContain("mistake in dsmc", run.Error);
    }

    private void Refused(string cause, string file)
    {
        var run = Dsmc.Run("run", Sample, "--weights", _folder.Path, "--prompt", "ROMEO:", "--max-new", "1");
        Assert.Equal(ExitCode.Trouble, run.ExitCode);
        Assert.Contains(cause, run.Error);
        Assert.Contains(file, run.Error);
        Assert.DoesNotContain("mistake in dsmc", run.Error);
    }

    private void Weights(string header, ulong claim)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, claim);
        File.WriteAllBytes(_folder.File("model.safetensors"), [.. length, .. Encoding.UTF8.GetBytes(header), .. new byte[64]]);
    }
}
