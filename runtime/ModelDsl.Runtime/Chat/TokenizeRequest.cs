namespace ModelDsl.Runtime.Chat;

/// <summary>What <see cref="TokenizeCommand"/> makes of its input.</summary>
public enum TokenizeDirection
{
    /// <summary>Text to ids.</summary>
    Encode,

    /// <summary>Ids to text.</summary>
    Decode,

    /// <summary>A conversation to the text its chat template makes of it.</summary>
    Chat,
}

/// <summary>How <see cref="TokenizeCommand"/> reads and writes.</summary>
/// <param name="Folder">The checkpoint with the tokenizer.</param>
/// <param name="Direction">What becomes of the input.</param>
/// <param name="PerLine">Every line is a JSON value of its own and so is every answer; otherwise the whole input is one.</param>
public sealed record TokenizeRequest(string Folder, TokenizeDirection Direction, bool PerLine)
{
    /// <summary>Encoding: put BOS (and what else the checkpoint puts around a text) around it.</summary>
    public bool AddSpecialTokens { get; init; }

    /// <summary>Encoding: recognise no added token, as befits text from outside.</summary>
    public bool Plain { get; init; }

    /// <summary>Decoding: leave out special tokens.</summary>
    public bool SkipSpecial { get; init; }
}
