using System.Text.Encodings.Web;
using System.Text.Json;

namespace ModelDsl.Runtime.Tokenization.Training;

/// <summary>
/// A vocabulary fresh from the <see cref="BpeTrainer"/>. Ids as in DeepSeek-V3: control tokens, the 256 bytes in the order of
/// their symbols, merges in order of rank, chat tokens.
/// </summary>
public sealed class TrainedTokenizer
{
    /// <summary>The id of the first merge; merge <c>k</c> makes id <c>FirstMerge + k</c>.</summary>
    public static readonly int FirstMerge = TokenizerRecipe.Special.Length + 256;

    private static readonly JsonWriterOptions Style = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly int[] IdsOfBytes = NumberBytes();

    private readonly List<string> _entries = [.. TokenizerRecipe.Special];

    internal TrainedTokenizer(IReadOnlyList<(int Left, int Right)> merges)
    {
        Merges = merges;
        var symbols = Enumerable.Range(0, 256).Select(b => ByteAlphabet.SymbolOf((byte)b)).Order();
        _entries.AddRange(symbols.Select(s => s.ToString()));
        foreach (var (left, right) in merges)
            _entries.Add(_entries[left] + _entries[right]);
    }

    /// <summary>The pairs of ids merged, in order.</summary>
    public IReadOnlyList<(int Left, int Right)> Merges { get; }

    /// <summary>The number of ids, added tokens included.</summary>
    public int VocabularySize => _entries.Count + TokenizerRecipe.Added.Length;

    /// <summary>The id of a single byte.</summary>
    internal static int IdOf(byte value) => IdsOfBytes[value];

    /// <summary>Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c>, as Hugging Face libraries read them.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        Write(Path.Combine(folder, "tokenizer.json"), WriteTokenizer);
        Write(Path.Combine(folder, "tokenizer_config.json"), WriteConfig);
    }

    private static void Write(string path, Action<Utf8JsonWriter> content)
    {
        using var stream = File.Create(path);
        using (var writer = new Utf8JsonWriter(stream, Style))
            content(writer);
        stream.WriteByte((byte)'\n');
    }

    private void WriteTokenizer(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        json.WriteStartArray("added_tokens");
        for (var i = 0; i < TokenizerRecipe.Special.Length; i++)
            WriteAdded(json, i, TokenizerRecipe.Special[i], special: true);
        for (var i = 0; i < TokenizerRecipe.Added.Length; i++)
            WriteAdded(json, _entries.Count + i, TokenizerRecipe.Added[i], special: false);
        json.WriteEndArray();
        json.WriteNull("normalizer");
        WritePreTokenizer(json);
        WriteByteLevel(json, "post_processor", useRegex: true);
        WriteByteLevel(json, "decoder", useRegex: true);
        WriteModel(json);
        json.WriteEndObject();
    }

    private static void WriteAdded(Utf8JsonWriter json, int id, string content, bool special)
    {
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteString("content", content);
        json.WriteBoolean("single_word", false);
        json.WriteBoolean("lstrip", false);
        json.WriteBoolean("rstrip", false);
        json.WriteBoolean("normalized", !special);
        json.WriteBoolean("special", special);
        json.WriteEndObject();
    }

    private static void WritePreTokenizer(Utf8JsonWriter json)
    {
        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        foreach (var expression in TokenizerRecipe.Expressions)
        {
            json.WriteStartObject();
            json.WriteString("type", "Split");
            json.WriteStartObject("pattern");
            json.WriteString("Regex", expression);
            json.WriteEndObject();
            json.WriteString("behavior", "Isolated");
            json.WriteBoolean("invert", false);
            json.WriteEndObject();
        }

        WriteByteLevel(json, null, useRegex: false);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, string? name, bool useRegex)
    {
        if (name is null)
            json.WriteStartObject();
        else
            json.WriteStartObject(name);
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", useRegex);
        json.WriteEndObject();
    }

    private void WriteModel(Utf8JsonWriter json)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteStartObject("vocab");
        for (var id = 0; id < _entries.Count; id++)
            json.WriteNumber(_entries[id], id);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right) in Merges)
            json.WriteStringValue($"{_entries[left]} {_entries[right]}");
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteConfig(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteBoolean("add_bos_token", true);
        json.WriteBoolean("add_eos_token", false);
        json.WriteString("bos_token", TokenizerRecipe.Bos);
        json.WriteString("eos_token", TokenizerRecipe.Eos);
        json.WriteString("pad_token", TokenizerRecipe.Special[2]);
        json.WriteNull("unk_token");
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        json.WriteString("chat_template", TokenizerRecipe.ChatTemplate);
        json.WriteEndObject();
    }

    private static int[] NumberBytes()
    {
        var ids = new int[256];
        var order = Enumerable.Range(0, 256).OrderBy(b => ByteAlphabet.SymbolOf((byte)b)).ToArray();
        for (var i = 0; i < order.Length; i++)
            ids[order[i]] = TokenizerRecipe.Special.Length + i;
        return ids;
    }
}
