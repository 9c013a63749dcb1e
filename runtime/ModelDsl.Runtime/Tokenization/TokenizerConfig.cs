namespace ModelDsl.Runtime.Tokenization;

/// <summary>What a <c>tokenizer_config.json</c> says, as far as text and chat go.</summary>
public sealed record TokenizerConfig
{
    /// <summary>The text of the token that opens a text.</summary>
    public string? BosToken { get; init; }

    /// <summary>The text of the token that ends a text.</summary>
    public string? EosToken { get; init; }

    /// <summary>The text of the token that fills up a batch.</summary>
    public string? PadToken { get; init; }

    /// <summary>The text of the token for what has no token.</summary>
    public string? UnkToken { get; init; }

    /// <summary>Whether a text encoded with special tokens starts with BOS; null when the file does not say.</summary>
    public bool? AddBosToken { get; init; }

    /// <summary>Whether a text encoded with special tokens ends with EOS; null when the file does not say.</summary>
    public bool? AddEosToken { get; init; }

    /// <summary>Chat templates by name; a single one is called "default".</summary>
    public IReadOnlyDictionary<string, string> ChatTemplates { get; init; } = new Dictionary<string, string>();
}
