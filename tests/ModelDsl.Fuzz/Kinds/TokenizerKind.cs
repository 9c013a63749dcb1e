using System.Text;
using System.Text.Json.Nodes;
using ModelDsl.Fuzz.Inputs;
using ModelDsl.Runtime.Chat;
using ModelDsl.Runtime.Tokenization;
using ModelDsl.Testing;

namespace ModelDsl.Fuzz.Kinds;

/// <summary>
/// The tokenizer's files in one input, a line of percent signs between them: <c>tokenizer.json</c>, <c>tokenizer_config.json</c>,
/// <c>chat_template.jinja</c>. What loads encodes and decodes texts, and lays out a conversation.
/// </summary>
internal sealed class TokenizerKind : FuzzKind
{
    private static readonly byte[] Border = [.. "\n%%%%\n"u8];

    private static readonly string[] Dictionary =
    [
        "type", "Sequence", "ByteLevel", "Split", "Digits", "Punctuation", "WhitespaceSplit", "pattern", "Regex", "String", "behavior", "Isolated", "Removed", "MergedWithPrevious",
        "MergedWithNext", "Contiguous", "invert", "add_prefix_space", "use_regex", "individual_digits", "pretokenizers", "normalizers", "NFC", "NFKC", "Lowercase", "Prepend", "Strip", "Replace",
        "content", "prepend", "strip_left", "post_processor", "TemplateProcessing", "single", "special_tokens", "SpecialToken", "ids", "id", "processors", "added_tokens", "special", "lstrip",
        "rstrip", "single_word", "normalized", "model", "BPE", "vocab", "merges", "unk_token", "byte_fallback", "ignore_merges", "dropout", "bos_token", "eos_token", "add_bos_token", "chat_template",
        "name", "template", "default", "a", "b", "ab", "a b", "Ġ", "<x>", "", "x",
    ];

    private static readonly string[] Texts =
        ["", "ab <x> abc'S 12\n\n x", "Hello, 世界 😀\uD800 e\u0301 ﬁ \u0000 <x>y", new string('a', 600) + "c", string.Concat(Enumerable.Repeat("ab  12 é", 60))];

    private static readonly ChatMessage[] Conversation =
        [new("system", "Be brief."), new("user", "a < b & \"c\" 😀"), new("assistant", null) { ToolCalls = [new ChatToolCall("1", "f", "{\"a\": 1}")] }, new("tool", "2") { ToolCallId = "1" }];

    private readonly JsonDamage _damage = new(Dictionary);
    private readonly TextDamage _template = new(
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "-%}", "{%-", "for", "in", "endfor", "if", "elif", "else", "endif", "set", "endset", "macro", "endmacro", "raw", "endraw", "is", "not", "and", "or",
        "defined", "|", "tojson", "messages", "message", "[", "]", "(", ")", "'", "\"", "~", "**", "*", "+", "loop", "range", "namespace", ".", "content", "role", "0", "1000000000", "break",
    ]);

    private readonly ScratchFolder _folder = new();

    public TokenizerKind()
    {
        var sample = Repository.PathTo("samples", "tiny-v3", "checkpoint");
        var config = File.ReadAllBytes(Path.Combine(sample, "tokenizer_config.json"));
        var template = """
            {{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}User: {{ message.content | trim }}
            {% elif message.tool_calls is defined %}{{ message.tool_calls | tojson(indent=2) }}{% else %}{{ message['content'] }}{% endif %}{% endfor %}
            {% macro say(x, n=2) %}{{ x * n }}{% endmacro %}{{ say('a') }}{% if add_generation_prompt %}Assistant:{% endif %}
            """u8.ToArray();
        Seeds = [Join(Small(), config, template), Join(Small(), "{\"bos_token\":\"<x>\",\"add_bos_token\":true}"u8.ToArray(), template),
            Join(File.ReadAllBytes(Path.Combine(sample, "tokenizer.json")), config, [])];
    }

    public override string Name => "tokenizer";

    public override IReadOnlyList<byte[]> Seeds { get; }

    // A template may write 16 million characters, and an expression's table of characters takes its tens of kilobytes.
    public override long MostAllocated(int length) => base.MostAllocated(length) + (768L << 20);

    public override byte[] Make(byte[] known, byte[] other, Random random)
    {
        var parts = Parts(known);
        var others = Parts(other);
        switch (random.Next(8))
        {
            case 0 or 1:
                parts[2] = _template.Spoil(parts[2], others[2], random);
                break;
            case 2:
                parts[2] = Encoding.UTF8.GetBytes(new JinjaGrammar(random).Template());
                break;
            case 3:
                parts[1] = _damage.Spoil(parts[1], others[1], random);
                break;
            case 4:
                parts[0] = WithExpression(parts[0], RegexGrammar.Expression(random));
                break;
            default:
                parts[0] = _damage.Spoil(parts[0], others[0], random);
                break;
        }

        return Join(parts);
    }

    public override string Check(byte[] input)
    {
        var parts = Parts(input);
        string[] names = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];
        for (var i = 0; i < names.Length; i++)
            if (parts[i].Length > 0) _folder.Write(names[i], parts[i]);
            else _folder.Delete(names[i]);
        try
        {
            var tokenizer = Tokenizer.Load(_folder.Path);
            return Use(tokenizer) + Chat(tokenizer);
        }
        catch (TokenizerException refused)
        {
            return Gist(refused.Message[_folder.Path.Length..]);
        }
    }

    public override void Dispose() => _folder.Dispose();

    private static string Use(Tokenizer tokenizer)
    {
        foreach (var text in Texts)
        {
            int[] ids;
            try
            {
                ids = tokenizer.Encode(text, addSpecialTokens: true);
            }
            catch (TokenizerException refused)
            {
                return Gist(refused.Cause);
            }

            if (ids.Any(id => id < 0)) throw new ViolationException("an id below zero");
            tokenizer.Decode(ids, skipSpecial: true);
            tokenizer.Decode(ids);
        }

        tokenizer.Decode([-1, int.MaxValue, tokenizer.VocabularySize, 0]);
        return "encodes";
    }

    private static string Chat(Tokenizer tokenizer)
    {
        try
        {
            if (ChatTemplate.For(tokenizer) is not { } template) return ", no template";
            return template.Render(Conversation, variables: new ChatVariables { Now = () => DateTime.UnixEpoch }).Length > 0 ? ", renders" : ", renders nothing";
        }
        catch (ChatTemplateException refused)
        {
            return ", " + Gist(refused.Cause);
        }
    }

    private static byte[] WithExpression(byte[] tokenizer, string expression)
    {
        try
        {
            if (JsonNode.Parse(tokenizer) is not JsonObject file) return tokenizer;
            var pattern = new JsonObject { ["Regex"] = expression };
            file["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Split", ["pattern"] = pattern, ["behavior"] = "Isolated", ["invert"] = false },
                    new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
            };
            return Encoding.UTF8.GetBytes(file.ToJsonString());
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or ArgumentException or InvalidOperationException)
        {
            // It is damaged already, perhaps to half a surrogate, which can be read but not written.
            return tokenizer;
        }
    }

    private static byte[] Small()
    {
        var vocabulary = new JsonObject();
        var symbols = Enumerable.Range(0x21, 0x7E - 0x20).Concat(Enumerable.Range(0xA1, 0xAC - 0xA0)).Concat(Enumerable.Range(0xAE, 0xFF - 0xAD)).Concat(Enumerable.Range(0x100, 68));
        foreach (var symbol in symbols.Select(c => ((char)c).ToString()).Concat(["ab", "abc", "bc"])) vocabulary.Add(symbol, vocabulary.Count);
        var file = JsonNode.Parse(
            """
            {"version": "1.0", "added_tokens": [{"id": 300, "content": "<x>", "special": true, "lstrip": true}, {"id": 301, "content": "<x>y", "normalized": true}],
             "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"String": "ﬁ"}, "content": "fi"}]},
             "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
              {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}]?\\p{L}+|\\s+(?!\\S)|\\s+"}, "behavior": "Isolated", "invert": false},
              {"type": "Digits", "individual_digits": true}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]},
             "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<x>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
              "special_tokens": {"<x>": {"id": "<x>", "ids": [300], "tokens": ["<x>"]}}},
             "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "unk_token": null, "vocab": {}, "merges": ["a b", ["ab", "c"]]}}
            """)!;
        file["model"]!["vocab"] = vocabulary;
        return Encoding.UTF8.GetBytes(file.ToJsonString());
    }

    private static byte[] Join(params byte[][] parts) => [.. parts[0], .. Border, .. parts[1], .. Border, .. parts[2]];

    private static byte[][] Parts(byte[] input)
    {
        var first = input.AsSpan().IndexOf(Border);
        if (first < 0) return [input, [], []];
        var rest = input[(first + Border.Length)..];
        var second = rest.AsSpan().IndexOf(Border);
        return second < 0 ? [input[..first], rest, []] : [input[..first], rest[..second], rest[(second + Border.Length)..]];
    }
}
