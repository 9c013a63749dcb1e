using System.Text.Json;
using System.Text.Json.Nodes;
using ModelDsl.Runtime.Tokenization;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.Tests.Tokenization;

/// <summary>DeepSeek-V3's tokenizer and its golden vectors, loaded once for all tests.</summary>
internal static class DeepSeekTokenizer
{
    private static readonly Lazy<Tokenizer> LazyV3 = new(() => Tokenizer.Load(Folder));
    private static readonly Lazy<Tokenizer> LazyR1 = new(LoadR1);
    private static readonly Lazy<JsonElement> LazyVectors = new(() =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "vectors.json"))).RootElement);

    public static string Folder => Repository.SharedPath("data", "deepseek-v3-tokenizer");

    public static Tokenizer V3 => LazyV3.Value;

    /// <summary>The same file with R1's two added tokens in place of two place holders.</summary>
    public static Tokenizer R1 => LazyR1.Value;

    public static JsonElement Vectors => LazyVectors.Value;

    public static int[] Ids(JsonElement ids) => [.. ids.EnumerateArray().Select(i => i.GetInt32())];

    public static byte[] FileWith(Action<JsonObject> change)
    {
        var file = JsonNode.Parse(File.ReadAllBytes(Path.Combine(Folder, "tokenizer.json")))!.AsObject();
        change(file);
        return JsonSerializer.SerializeToUtf8Bytes(file);
    }

    private static Tokenizer LoadR1() => Tokenizer.Parse(
        FileWith(file =>
        {
            foreach (var variant in Vectors.GetProperty("variants").GetProperty("r1").GetProperty("added_tokens").EnumerateArray())
            {
                var id = variant.GetProperty("id").GetInt32();
                var token = file["added_tokens"]!.AsArray().Single(t => (int)t!["id"]! == id)!;
                token["content"] = variant.GetProperty("content").GetString();
                token["special"] = false;
                token["normalized"] = true;
            }
        }),
        V3.Config);
}
