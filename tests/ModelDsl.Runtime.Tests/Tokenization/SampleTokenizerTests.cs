using System.Text;
using System.Text.Json;
using ModelDsl.Runtime.Chat;
using ModelDsl.Runtime.Tokenization;
using ModelDsl.Runtime.Tokenization.AddedTokens;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.Tests.Tokenization;

/// <summary>The tokenizer of the tiny sample, which every checkout has: what a clone alone can prove.</summary>
public class SampleTokenizerTests
{
    private static readonly Tokenizer Sample = Tokenizer.Load(Repository.PathTo("samples", "tiny-v3", "checkpoint"));

    [Fact]
    public void Pieces_are_cut_as_DeepSeek_V3_cuts_them() => Assert.Equal(
        ["Hello", " ", "123", "4", " ", " you", "'ll", "!!\n\n", " ", "世界かな", "x\u00E9", "👍🏽"],
        Sample.PreTokenize("Hello 1234  you'll!!\n\n 世界かなx\u00E9👍🏽"));

    [Fact]
    public void Text_comes_back_whatever_it_holds()
    {
        var random = new Random(11);
        for (var round = 0; round < 300; round++)
        {
            var text = RandomText(random, 60);
            var ids = Sample.Encode(text);
            Assert.All(ids, id => Assert.InRange(id, 0, 511));
            Assert.Equal(text, Sample.Decode(ids));
            Assert.Equal(ids, Reference(text));
            Assert.Equal(text, string.Concat(Sample.PreTokenize(text)));
            var decoder = new StreamDecoder(Sample);
            Assert.Equal(text, string.Concat(ids.Select(decoder.Push)) + decoder.Flush());
        }
    }

    [Fact]
    public void Control_tokens_in_text_are_matched_only_when_wanted()
    {
        const string text = "<｜User｜>Hi<｜end▁of▁sentence｜>";
        var (user, hi) = (Sample.IdOf("<｜User｜>")!.Value, Sample.Encode("Hi"));
        Assert.Equal([user, .. hi, 1], Sample.Encode(text));
        Assert.Equal([user, .. hi, .. Sample.Encode("<｜end▁of▁sentence｜>", matching: AddedTokenMatching.None)],
            Sample.Encode(text, matching: AddedTokenMatching.NotSpecial));
        var plain = Sample.Encode(text, matching: AddedTokenMatching.None);
        Assert.DoesNotContain(user, plain);
        Assert.DoesNotContain(1, plain);
        Assert.Equal(text, Sample.Decode(plain));
        Assert.Equal("<｜User｜>Hi", Sample.Decode(Sample.Encode(text), skipSpecial: true));
    }

    [Fact]
    public void A_lone_surrogate_is_a_replacement_character()
    {
        Assert.Equal(Sample.Encode("a\uFFFDb"), Sample.Encode("a\uD83Cb"));
        Assert.Equal(Sample.Encode("a\uFFFD"), Sample.Encode("a\uDF0D"));
    }

    [Fact]
    public void Streams_hold_back_half_a_character_and_skip_what_is_special()
    {
        var earth = Sample.Encode("🌍");
        Assert.Equal(4, earth.Length);
        var decoder = new StreamDecoder(Sample, skipSpecial: true);
        Assert.Equal(["", "", "", "🌍"], earth.Select(decoder.Push));
        Assert.Equal("", decoder.Push(1));
        Assert.Equal(["", ""], earth.Take(2).Select(decoder.Push));
        Assert.Equal("\uFFFD", decoder.Flush());
        Assert.Equal("", decoder.Push(100_000));
    }

    [Fact]
    public void The_chat_template_writes_a_conversation_as_V3_does()
    {
        var template = ChatTemplate.For(Sample)!;
        var text = template.Render(
        [
            new ChatMessage("system", "Be brief."), new ChatMessage("user", "Hi"), new ChatMessage("assistant", "Hello."), new ChatMessage("user", "Bye"),
        ]);
        Assert.Equal("<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi<｜Assistant｜>Hello.<｜end▁of▁sentence｜><｜User｜>Bye<｜Assistant｜>", text);
        Assert.Equal(0, Sample.Encode(text)[0]);
    }

    [Fact]
    public void A_piece_of_a_million_letters_does_not_take_quadratic_time()
    {
        var text = new string('e', 1_000_000);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var ids = Sample.Encode(text);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"{watch.Elapsed}");
        Assert.Equal(text, Sample.Decode(ids));
    }

    private static readonly Lazy<Dictionary<string, int>> Ranks = new(() =>
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Repository.PathTo("samples", "tiny-v3", "checkpoint", "tokenizer.json")));
        return file.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray()
            .Select((m, rank) => (Pair: m.GetString()!, rank)).ToDictionary(m => m.Pair, m => m.rank);
    });

    // Ids 3 to 258 are the bytes, in some order.
    private static readonly Dictionary<byte, string> Symbols =
        Enumerable.Range(3, 256).ToDictionary(id => Sample.BytesOf(id)[0], id => Sample.PieceOf(id)!);

    /// <summary>The definition, slowly: in every piece, merge the leftmost pair of lowest rank until none is left.</summary>
    private static int[] Reference(string text)
    {
        var ranks = Ranks.Value;
        var ids = new List<int>();
        foreach (var piece in Sample.PreTokenize(text))
        {
            var symbols = Encoding.UTF8.GetBytes(piece).Select(b => Symbols[b]).ToList();
            while (true)
            {
                var best = Enumerable.Range(0, Math.Max(0, symbols.Count - 1))
                    .Where(i => ranks.ContainsKey($"{symbols[i]} {symbols[i + 1]}"))
                    .OrderBy(i => ranks[$"{symbols[i]} {symbols[i + 1]}"]).Cast<int?>().FirstOrDefault();
                if (best is not { } at)
                    break;
                symbols[at] += symbols[at + 1];
                symbols.RemoveAt(at + 1);
            }

            ids.AddRange(symbols.Select(s => Sample.IdOf(s)!.Value));
        }

        return [.. ids];
    }

    private static string RandomText(Random random, int length)
    {
        string[] parts = ["the ", "and", " thou", "'ll", "\n\n", "  ", "KING", "123", "é", "世", "か", "🌍", "👍🏽", "\u0301", "!?", "\r\n", "\t", "𝒳", "١٢", "<｜"];
        return string.Concat(Enumerable.Range(0, random.Next(length)).Select(_ =>
            random.Next(3) == 0 ? char.ConvertFromUtf32(random.Next(0x20, 0xD7FF)) : parts[random.Next(parts.Length)]));
    }
}
