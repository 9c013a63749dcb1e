using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelDsl.Runtime.Tokenization;
using ModelDsl.Runtime.Tokenization.AddedTokens;
using ModelDsl.Testing;
using static ModelDsl.Runtime.Tests.Tokenization.DeepSeekTokenizer;

namespace ModelDsl.Runtime.Tests.Tokenization;

/// <summary>The golden vectors of DeepSeek-V3's published tokenizer, computed elsewhere by two independent implementations.</summary>
public class DeepSeekVectorTests
{
    [SharedFact]
    public void Every_text_encodes_and_decodes_as_published()
    {
        var count = 0;
        foreach (var c in Vectors.GetProperty("cases").EnumerateArray())
        {
            Check(V3, c);
            count++;
        }

        Assert.Equal(250, count);
    }

    [SharedFact]
    public void R1_puts_its_thinking_marks_in_place_of_two_place_holders()
    {
        var count = 0;
        foreach (var c in Vectors.GetProperty("r1_cases").EnumerateArray())
        {
            Check(R1, c);
            count++;
        }

        Assert.Equal(5, count);
    }

    [SharedFact]
    public void Ids_decode_with_one_replacement_character_per_invalid_part()
    {
        foreach (var c in Vectors.GetProperty("decode").EnumerateArray())
        {
            var ids = Ids(c.GetProperty("ids"));
            var text = c.GetProperty("text").GetString()!;
            Assert.Equal(text, V3.Decode(ids));
            Assert.Equal(Optional(c, "text_skip_special") is { ValueKind: JsonValueKind.String } s ? s.GetString() : text, V3.Decode(ids, skipSpecial: true));
        }
    }

    [SharedFact]
    public void Streams_never_show_half_a_character_and_join_to_the_text()
    {
        foreach (var c in Vectors.GetProperty("stream").EnumerateArray())
        {
            var text = c.GetProperty("text").GetString()!;
            var decoder = new StreamDecoder(V3);
            string shown = "", published = "";
            foreach (var (id, part) in Ids(c.GetProperty("ids")).Zip(c.GetProperty("parts").EnumerateArray()))
            {
                // The vectors hold a whole token back; showing its complete characters at once is better and as right.
                shown += decoder.Push(id);
                published += part.GetString();
                Assert.StartsWith(published, shown, StringComparison.Ordinal);
                Assert.StartsWith(shown, text, StringComparison.Ordinal);
            }

            Assert.Equal(text, shown + decoder.Flush());
        }
    }

    [SharedFact]
    public void Every_decode_case_streams_to_the_same_text()
    {
        foreach (var c in Vectors.GetProperty("decode").EnumerateArray())
        {
            var decoder = new StreamDecoder(V3);
            var streamed = string.Concat(Ids(c.GetProperty("ids")).Select(decoder.Push)) + decoder.Flush();
            Assert.Equal(c.GetProperty("text").GetString(), streamed);
        }
    }

    [SharedFact]
    public void A_megabyte_of_Shakespeare_gives_the_published_ids_in_well_under_a_second()
    {
        var text = File.ReadAllText(Repository.SharedPath("data", "tinyshakespeare.txt"));
        var tokenizer = Tokenizer.Load(Folder);
        var watch = Stopwatch.StartNew();
        var ids = tokenizer.Encode(text);
        watch.Stop();
        var corpus = Vectors.GetProperty("corpora")[0];
        Assert.Equal(corpus.GetProperty("tokens").GetInt32(), ids.Length);
        Assert.Equal(
            corpus.GetProperty("ids_sha256").GetString(),
            Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<int>(ids))));
        Assert.Equal(text, tokenizer.Decode(ids));
        // Ten times what it takes, so that a busy machine does not fail and quadratic work does.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"{watch.Elapsed}");
    }

    [SharedFact]
    public void The_file_saved_anew_with_pairs_and_a_template_gives_the_same_ids()
    {
        var resaved = Tokenizer.Parse(FileWith(file =>
        {
            var merges = file["model"]!["merges"]!.AsArray();
            file["model"]!["merges"] = new JsonArray([.. merges.Select(m => new JsonArray([.. ((string)m!).Split(' ').Select(p => JsonValue.Create(p))]))]);
            file["model"]!["ignore_merges"] = false;
            file["post_processor"] = JsonNode.Parse(
                """
                {"type": "TemplateProcessing",
                 "single": [{"SpecialToken": {"id": "<bos>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                 "pair": [], "special_tokens": {"<bos>": {"id": "<bos>", "ids": [0], "tokens": ["<｜begin▁of▁sentence｜>"]}}}
                """);
        }));
        Assert.Equal([0, 19923, 2058], resaved.Encode("Hello world", addSpecialTokens: true));
        foreach (var c in Vectors.GetProperty("cases").EnumerateArray().Take(60))
            Assert.Equal(Ids(c.GetProperty("ids")), resaved.Encode(c.GetProperty("text").GetString()!));
    }

    [SharedFact]
    public void Settings_are_those_of_the_published_files()
    {
        Assert.Equal(128815, V3.VocabularySize);
        Assert.Equal((0, 1, 1), (V3.BosId, V3.EosId, V3.PadId));
        Assert.Equal([0, 19923], V3.Encode("Hello", addSpecialTokens: true));
        Assert.Equal("Ġworld", V3.PieceOf(2058));
        Assert.Null(V3.PieceOf(128815));
        Assert.Equal(128803, V3.IdOf("<｜User｜>"));
        Assert.True(V3.IsSpecial(128805));
        Assert.False(V3.IsSpecial(128803));
    }

    private static void Check(Tokenizer tokenizer, JsonElement c)
    {
        var text = c.GetProperty("text").GetString()!;
        var ids = Ids(c.GetProperty("ids"));
        Assert.Equal(ids, tokenizer.Encode(text));
        Assert.Equal(IdsOr(c, "ids_special_as_text", ids), tokenizer.Encode(text, matching: AddedTokenMatching.NotSpecial));
        Assert.Equal(IdsOr(c, "ids_plain", ids), tokenizer.Encode(text, matching: AddedTokenMatching.None));
        Assert.Equal(c.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
        var skipped = Optional(c, "decoded_skip_special");
        Assert.Equal(skipped.ValueKind == JsonValueKind.String ? skipped.GetString() : text, tokenizer.Decode(ids, skipSpecial: true));
        if (Optional(c, "pieces") is { ValueKind: JsonValueKind.Array } pieces)
            Assert.Equal(pieces.EnumerateArray().Select(p => p.GetString()), tokenizer.PreTokenize(text));
    }

    private static int[] IdsOr(JsonElement c, string name, int[] otherwise) =>
        Optional(c, name) is { ValueKind: JsonValueKind.Array } ids ? Ids(ids) : otherwise;

    private static JsonElement Optional(JsonElement c, string name) => c.TryGetProperty(name, out var value) ? value : default;
}
