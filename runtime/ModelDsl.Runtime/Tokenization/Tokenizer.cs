using System.Buffers;
using System.Text;
using ModelDsl.Runtime.Tokenization.AddedTokens;
using ModelDsl.Runtime.Tokenization.Bpe;
using ModelDsl.Runtime.Tokenization.Files;
using ModelDsl.Runtime.Tokenization.Patterns;
using ModelDsl.Runtime.Tokenization.PreTokenizers;

namespace ModelDsl.Runtime.Tokenization;

/// <summary>
/// Text to token ids and back, as the <c>tokenizer.json</c> of a Hugging Face checkpoint says. Byte-level BPE only: every text
/// can be encoded, and decoding gives the same text back. Immutable; safe to use from several threads.
/// </summary>
public sealed class Tokenizer
{
    private readonly TokenizerFile _file;
    private readonly BpeModel _model;
    private readonly TokenTable _tokens;
    private readonly AddedTokenMatcher _raw;
    private readonly AddedTokenMatcher _normalized;
    private readonly Dictionary<string, int> _addedIds;

    internal Tokenizer(TokenizerFile file, TokenizerConfig config)
    {
        _file = file;
        Config = config;
        _model = new BpeModel(file.Model.Vocabulary, file.Model.Merges, file.Model.UnknownId, file.Model.IgnoreMerges);
        _tokens = new TokenTable(file.Model.Vocabulary, file.AddedTokens);
        _raw = new AddedTokenMatcher(file.AddedTokens.Where(t => !t.Normalized));
        _normalized = new AddedTokenMatcher(file.AddedTokens.Where(t => t.Normalized).Select(t => t with { Content = Normalize(t.Content) }));
        _addedIds = [];
        foreach (var token in file.AddedTokens)
            _addedIds[token.Content] = token.Id;
        BosId = IdOf(config.BosToken);
        EosId = IdOf(config.EosToken);
        PadId = IdOf(config.PadToken);
        Prefix = Around(config.AddBosToken, BosId, file.Prefix);
        Suffix = Around(config.AddEosToken, EosId, file.Suffix);
    }

    /// <summary>The settings beside the vocabulary: names of control tokens, chat templates.</summary>
    public TokenizerConfig Config { get; }

    /// <summary>One past the largest id; the embedding may have more rows than that.</summary>
    public int VocabularySize => _tokens.Size;

    /// <summary>The id that opens a text, if the checkpoint has one.</summary>
    public int? BosId { get; }

    /// <summary>The id that ends a text, if the checkpoint has one.</summary>
    public int? EosId { get; }

    /// <summary>The id that fills up a batch, if the checkpoint has one.</summary>
    public int? PadId { get; }

    /// <summary>What <c>addSpecialTokens</c> puts before a text.</summary>
    public IReadOnlyList<int> Prefix { get; }

    /// <summary>What <c>addSpecialTokens</c> puts after a text.</summary>
    public IReadOnlyList<int> Suffix { get; }

    /// <summary>The tokens matched in text before it is cut into pieces.</summary>
    public IReadOnlyList<AddedToken> AddedTokens => _file.AddedTokens;

    /// <summary>
    /// Reads <c>tokenizer.json</c> and, where there are such files, <c>tokenizer_config.json</c> and <c>chat_template.jinja</c>
    /// of a checkpoint's folder.
    /// </summary>
    /// <exception cref="TokenizerException">A file is missing, malformed, or describes a kind of tokenizer not supported.</exception>
    public static Tokenizer Load(string folder)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        var configPath = Path.Combine(folder, "tokenizer_config.json");
        var json = FileBytes.Read(path);
        var config = FileBytes.ReadIfThere(configPath) is { } bytes ? TokenizerConfigReader.Read(configPath, bytes) : new TokenizerConfig();
        if (config.ChatTemplates.Count == 0 && FileBytes.ReadIfThere(Path.Combine(folder, "chat_template.jinja")) is { } template)
            config = config with { ChatTemplates = new Dictionary<string, string> { ["default"] = Encoding.UTF8.GetString(template) } };
        return Parse(json, config, path);
    }

    /// <summary>Reads a <c>tokenizer.json</c> from memory.</summary>
    /// <param name="json">The file's bytes.</param>
    /// <param name="config">The settings beside it; none when null.</param>
    /// <param name="name">What error messages call the file.</param>
    /// <exception cref="TokenizerException">The file is malformed or describes a kind of tokenizer not supported.</exception>
    public static Tokenizer Parse(ReadOnlySpan<byte> json, TokenizerConfig? config = null, string name = "tokenizer.json")
    {
        var file = TokenizerFileReader.Read(name, json);
        return Guarded(name, () => new Tokenizer(file, config ?? new TokenizerConfig()));
    }

    /// <summary>The ids of a text.</summary>
    /// <param name="text">Any text; a lone surrogate is encoded as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether to put <see cref="Prefix"/> (BOS, for DeepSeek) and <see cref="Suffix"/> around it.</param>
    /// <param name="matching">Which added tokens are recognised in the text.</param>
    /// <exception cref="TokenizerException">The vocabulary lacks a byte of the text, or one of its expressions runs away on it.</exception>
    public int[] Encode(string text, bool addSpecialTokens = false, AddedTokenMatching matching = AddedTokenMatching.All)
    {
        var ids = new List<int>(text.Length / 3 + 8);
        if (addSpecialTokens)
            ids.AddRange(Prefix);
        Guarded(_file.Path, () => EncodeRaw(text, matching, ids));
        if (addSpecialTokens)
            ids.AddRange(Suffix);
        return [.. ids];
    }

    /// <summary>
    /// The text of ids. Bytes that are no UTF-8 become U+FFFD, one per maximal invalid part; ids without a token are passed over.
    /// </summary>
    /// <param name="ids">Any numbers.</param>
    /// <param name="skipSpecial">Whether to leave out special tokens.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = false)
    {
        var bytes = new ArrayBufferWriter<byte>(ids.Length * 4 + 16);
        foreach (var id in ids)
            if (!skipSpecial || !IsSpecial(id))
                bytes.Write(BytesOf(id));
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>The pieces a text is cut into before merging, added tokens not matched.</summary>
    /// <exception cref="TokenizerException">One of the tokenizer's expressions runs away on the text.</exception>
    public IReadOnlyList<string> PreTokenize(string text) => Guarded<IReadOnlyList<string>>(_file.Path, () =>
    {
        var normal = Normalize(text);
        return [.. PreTokenizer.Run(_file.PreTokenizers, new Piece(normal, 0, normal.Length)).Select(p => p.Span.ToString())];
    });

    /// <summary>The vocabulary entry of an id, in the byte alphabet (or the content of an added token); null for an id without a token.</summary>
    public string? PieceOf(int id) => _tokens.Piece(id);

    /// <summary>The bytes an id decodes to; empty for an id without a token.</summary>
    public ReadOnlySpan<byte> BytesOf(int id) => _tokens.Bytes(id);

    /// <summary>Whether the id is a control token.</summary>
    public bool IsSpecial(int id) => _tokens.IsSpecial(id);

    /// <summary>The id of an added token or vocabulary entry, or null.</summary>
    public int? IdOf(string? piece) =>
        piece is null ? null
        : _addedIds.TryGetValue(piece, out var id) || _file.Model.Vocabulary.TryGetValue(piece, out id) ? id
        : null;

    private static IReadOnlyList<int> Around(bool? wanted, int? id, IReadOnlyList<int>? template) => wanted switch
    {
        true when id is not null => [id.Value],
        true or null => template ?? [],
        false => [],
    };

    /// <summary>Turns the errors of the rooms below, which do not know the file, into one that names it.</summary>
    private static T Guarded<T>(string path, Func<T> body)
    {
        try
        {
            return body();
        }
        catch (Exception e) when (e is PatternException or MissingByteException or NotSupportedException)
        {
            throw new TokenizerException(path, "", e.Message, e);
        }
    }

    private string Normalize(string text)
    {
        foreach (var step in _file.Normalizers)
            text = step.Apply(text);
        return text;
    }

    private List<int> EncodeRaw(string text, AddedTokenMatching matching, List<int> ids)
    {
        if (matching == AddedTokenMatching.None)
        {
            var normal = Normalize(text);
            EncodePlain(new Piece(normal, 0, normal.Length), ids);
            return ids;
        }

        foreach (var (token, start, end) in _raw.Split(text, matching == AddedTokenMatching.NotSpecial))
        {
            if (token is not null)
                ids.Add(token.Id);
            else
                EncodeNormalized(Normalize(text[start..end]), matching, ids);
        }

        return ids;
    }

    private void EncodeNormalized(string text, AddedTokenMatching matching, List<int> ids)
    {
        foreach (var (token, start, end) in _normalized.Split(text, matching == AddedTokenMatching.NotSpecial))
        {
            if (token is not null)
                ids.Add(token.Id);
            else
                EncodePlain(new Piece(text, start, end - start), ids);
        }
    }

    private void EncodePlain(Piece text, List<int> ids)
    {
        foreach (var piece in PreTokenizer.Run(_file.PreTokenizers, text))
            _model.Encode(piece, ids);
    }
}
