using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ModelDsl.Runtime.Tokenization;
using ModelDsl.Runtime.Tokenization.AddedTokens;
using static ModelDsl.Runtime.Tests.Tokenization.SmallTokenizer;

namespace ModelDsl.Runtime.Tests.Tokenization;

/// <summary>The forms a <c>tokenizer.json</c> takes beyond DeepSeek's own.</summary>
public class TokenizerFormTests
{
    private const int A = 'a' - '!';
    private const int Space = 220;

    [Fact]
    public void Merges_may_be_text_or_pairs_and_may_stand_before_the_vocabulary()
    {
        var swapped = SmallTokenizer.Load(f =>
        {
            var model = f["model"]!.AsObject();
            var vocabulary = model["vocab"]!.DeepClone();
            model.Remove("vocab");
            model["merges"] = JsonNode.Parse("""[["a", "b"], ["ab", "c"]]""");
            model.Add("vocab", vocabulary);
        });
        Assert.Equal([257, A, A + 2], swapped.Encode("abcac"));
        Assert.Equal([257, A, A + 2], SmallTokenizer.Load().Encode("abcac"));
    }

    [Fact]
    public void A_piece_that_is_an_entry_is_taken_whole_when_merges_are_ignored()
    {
        Assert.Equal([A + 1, A + 2], SmallTokenizer.Load().Encode("bc"));
        Assert.Equal([258], SmallTokenizer.Load(f => f["model"]!["ignore_merges"] = true).Encode("bc"));
    }

    [Fact]
    public void GPT2s_expression_is_used_on_request_and_a_space_put_in_front()
    {
        var plain = SmallTokenizer.Load(f => f["pre_tokenizer"] = JsonNode.Parse("""{"type": "ByteLevel", "add_prefix_space": false}"""));
        Assert.Equal(["I", "'m", " 42", " xs", "  ", " y", "!?", "  "], plain.PreTokenize("I'm 42 xs   y!?  "));
        var spaced = SmallTokenizer.Load(f => f["pre_tokenizer"] = JsonNode.Parse("""{"type": "ByteLevel", "add_prefix_space": true, "use_regex": false}"""));
        Assert.Equal([Space, 256], spaced.Encode("ab"));
        Assert.Equal([Space, 256], spaced.Encode(" ab"));
    }

    [Theory]
    [InlineData("Isolated", "a|-|-|b|-")]
    [InlineData("Removed", "a|b")]
    [InlineData("Contiguous", "a|--|b|-")]
    [InlineData("MergedWithPrevious", "a-|-|b-")]
    [InlineData("MergedWithNext", "a|-|-b|-")]
    public void Splits_do_with_separators_what_they_say(string behavior, string pieces) => Assert.Equal(
        pieces.Split('|'),
        WithPreTokenizer($$$"""{"type": "Split", "pattern": {"String": "-"}, "behavior": "{{{behavior}}}", "invert": false}""").PreTokenize("a--b-"));

    [Fact]
    public void An_inverted_split_separates_at_what_does_not_match() => Assert.Equal(
        ["ab", "cd"],
        WithPreTokenizer("""{"type": "Split", "pattern": {"Regex": "[a-z]+"}, "behavior": "Removed", "invert": true}""").PreTokenize("ab, cd."));

    [Fact]
    public void Digits_are_split_one_by_one_or_in_runs()
    {
        Assert.Equal(["a", "1", "2", "b"], WithPreTokenizer("""{"type": "Digits", "individual_digits": true}""").PreTokenize("a12b"));
        Assert.Equal(["a", "12", "b"], WithPreTokenizer("""{"type": "Digits", "individual_digits": false}""").PreTokenize("a12b"));
    }

    [Theory]
    [InlineData("", "a <x> b", "64 220|300|220 65")]
    [InlineData(""", "lstrip": true""", "a <x> b", "64|300|220 65")]
    [InlineData(""", "rstrip": true""", "a <x> b", "64 220|300|65")]
    [InlineData(""", "single_word": true""", "a<x> <x>", "64 27 87 29 220|300")]
    public void Added_tokens_swallow_space_and_keep_to_words_as_they_say(string flags, string text, string ids) =>
        Assert.Equal(ids.Split('|', ' ').Select(int.Parse), WithAdded(flags).Encode(text));

    [Fact]
    public void Of_added_tokens_that_start_alike_the_longest_wins()
    {
        var tokenizer = WithAdded("");
        Assert.Equal([300, A + 25], tokenizer.Encode("<x>z"));
        Assert.Equal([301], tokenizer.Encode("<x>y"));
        Assert.Equal("<x>", tokenizer.Decode([300, 301], skipSpecial: true));
        Assert.Equal(4, tokenizer.Encode("<x>y", matching: AddedTokenMatching.None).Length);
    }

    [Fact]
    public void Templates_and_settings_say_what_goes_around_a_text()
    {
        static void Template(JsonObject file) => file["post_processor"] = JsonNode.Parse(
            """
            {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": "b", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "e", "type_id": 0}}],
             "special_tokens": {"b": {"id": "b", "ids": [65], "tokens": ["b"]}, "e": {"id": "e", "ids": [68], "tokens": ["e"]}}}]}
            """);
        Assert.Equal([65, A, 68], SmallTokenizer.Load(Template).Encode("a", addSpecialTokens: true));
        Assert.Equal([A], SmallTokenizer.Load(Template).Encode("a"));
        var config = new TokenizerConfig { BosToken = "z", AddBosToken = true, AddEosToken = false };
        Assert.Equal([A + 25, A], SmallTokenizer.Load(Template, config).Encode("a", addSpecialTokens: true));
    }

    [Fact]
    public void Simple_normalizers_change_the_text_before_it_is_cut()
    {
        var tokenizer = SmallTokenizer.Load(f => f["normalizer"] = JsonNode.Parse(
            """
            {"type": "Sequence", "normalizers": [{"type": "Strip", "strip_left": true, "strip_right": true}, {"type": "Lowercase"},
             {"type": "Prepend", "prepend": "c"}, {"type": "Replace", "pattern": {"String": " "}, "content": "ab"}]}
            """));
        // "AB C" with space around it becomes "cababc".
        Assert.Equal([A + 2, 256, 257], tokenizer.Encode("  AB C\n"));
    }

    [Fact]
    public void Form_C_passes_composed_text_and_refuses_to_guess_the_rest()
    {
        var tokenizer = SmallTokenizer.Load(f =>
        {
            f["normalizer"] = JsonNode.Parse("""{"type": "NFC"}""");
            f["added_tokens"] = JsonNode.Parse("""[{"id": 300, "content": "<｜User｜>", "special": false, "normalized": true}]""");
        });
        foreach (var text in new[] { "caf\u00E9", "한국어 日本語 かが", "🌍 Ελλάδα \u1F70", "<｜User｜>" })
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.Equal([300], tokenizer.Encode("<｜User｜>"));
        // Test processes run under invariant globalization, where .NET returns uncomposed text as it came.
        foreach (var text in new[] { "cafe\u0301", "\u1112\u1161\u11AB", "\u212B", "か\u3099" })
            Assert.Contains("normalization", Assert.Throws<TokenizerException>(() => tokenizer.Encode(text)).Cause);
    }

    [Theory]
    [InlineData(@"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")]
    [InlineData(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    [InlineData(@"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")]
    [InlineData(@"\s?[A-Za-z\u00B5\u00C0-\u00D6]+|\s?[!-/:-~]+|[\u4E00-\u9FA5]{2,5}?|\p{N}+|(?=\s)\s|(?:ab|a|b)*c")]
    public void Within_the_basic_plane_expressions_match_as_NETs_own_do(string expression)
    {
        var tokenizer = WithPreTokenizer(
            $$$"""{"type": "Split", "pattern": {"Regex": {{{Json(expression)}}}}, "behavior": "Removed", "invert": true}""");
        var theirs = new Regex(expression, RegexOptions.CultureInvariant);
        var random = new Random(17);
        const string common = "abcAB  \n\r\t'st.!?12\u00E9\u0301\u4E2D\u304B\u2028\u3000\u01C5";
        for (var round = 0; round < 300; round++)
        {
            var text = string.Create(random.Next(1, 40), random, (chars, r) =>
            {
                for (var i = 0; i < chars.Length; i++)
                    chars[i] = r.Next(8) == 0 ? (char)r.Next(0xD800) : common[r.Next(common.Length)];
            });
            Assert.Equal(theirs.Matches(text).Select(m => m.Value).Where(m => m.Length > 0), tokenizer.PreTokenize(text));
        }
    }

    [Fact]
    public void A_byte_without_an_entry_is_an_error_or_the_unknown_token()
    {
        static void Without(JsonObject file) => file["model"]!["vocab"]!.AsObject().Remove("z");
        var error = Assert.Throws<TokenizerException>(() => SmallTokenizer.Load(Without).Encode("xyz"));
        Assert.Contains("0x7A", error.Cause);
        Assert.Equal([A, 5], SmallTokenizer.Load(f =>
        {
            Without(f);
            f["model"]!["unk_token"] = "&";
        }).Encode("az"));
    }

    [Theory]
    [InlineData(@"(?i:'s|'t)|x", "I'S 'ſ xX", "I|'S| |'ſ| |x|X")]
    [InlineData(@"[^\s\p{L}]?+\p{L}+", "a.b 🌍c 𝒳y", "a|.b| |🌍c| |𝒳y")]
    [InlineData(@"\p{Lu}&&", "A&&B", "A&&|B")]
    [InlineData(@"[a-z&&[^aeiou]]+", "xyzabc", "xyz|a|bc")]
    [InlineData(@"(?<=a)b|c(?=d)", "abb cd c", "a|b|b |c|d c")]
    [InlineData(@"(?>a+)b|.", "aab", "aab")]
    [InlineData(@"(ab){2,3}?|\x{1F30D}|\u00e9", "ababab🌍é", "abab|ab|🌍|é")]
    [InlineData(@"\A\w+|\w+\z", "one two three", "one| two |three")]
    [InlineData(@"^a|b$|c\Z", "a a\na b\nb c\n", "a| a\n|a| |b|\nb |c|\n")]
    [InlineData(@"(?:a{2}+)b|c{1,2}?|d{2}?", "aaaab cc dd", "aaaab| |c|c| |dd")]
    public void Expressions_see_code_points(string expression, string text, string pieces) => Assert.Equal(
        pieces.Split('|'),
        WithPreTokenizer($$$"""{"type": "Split", "pattern": {"Regex": {{{Json(expression)}}}}, "behavior": "Isolated", "invert": false}""").PreTokenize(text));
}
