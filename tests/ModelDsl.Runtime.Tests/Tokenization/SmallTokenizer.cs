using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelDsl.Runtime.Tokenization;

namespace ModelDsl.Runtime.Tests.Tokenization;

/// <summary>Tokenizer files of a few entries, written for one question each.</summary>
internal static class SmallTokenizer
{
    /// <summary>Bytes 0 to 255 in the order of their symbols, then "ab" 256, "abc" 257, "bc" 258; merges a b, ab c (bc has none).</summary>
    public const string Base =
        """
        {"version": "1.0", "added_tokens": [], "normalizer": null,
         "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
         "post_processor": null, "decoder": {"type": "ByteLevel"},
         "model": {"type": "BPE", "vocab": {}, "merges": ["a b", "ab c"]}}
        """;

    public static byte[] File(Action<JsonObject>? change = null)
    {
        var file = JsonNode.Parse(Base)!.AsObject();
        var vocabulary = file["model"]!["vocab"]!.AsObject();
        foreach (var symbol in Symbols().Concat(["ab", "abc", "bc"]))
            vocabulary.Add(symbol, vocabulary.Count);
        change?.Invoke(file);
        return Encoding.UTF8.GetBytes(file.ToJsonString());
    }

    public static Tokenizer Load(Action<JsonObject>? change = null, TokenizerConfig? config = null) => Tokenizer.Parse(File(change), config);

    public static Tokenizer WithAdded(string flags) => Load(f => f["added_tokens"] = JsonNode.Parse(
        $$"""[{"id": 300, "content": "<x>", "special": false, "normalized": false{{flags}}}, {"id": 301, "content": "<x>y", "special": true}]"""));

    public static Tokenizer WithPreTokenizer(string json) => Load(f => f["pre_tokenizer"] = JsonNode.Parse(
        $$"""{"type": "Sequence", "pretokenizers": [{{json}}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}"""));

    public static string Json(string text) => JsonSerializer.Serialize(text);

    private static IEnumerable<string> Symbols() => Enumerable.Range(0x21, 0x7E - 0x20).Concat(Enumerable.Range(0xA1, 0xAC - 0xA0))
        .Concat(Enumerable.Range(0xAE, 0xFF - 0xAD)).Concat(Enumerable.Range(0x100, 68)).Select(c => ((char)c).ToString());
}
