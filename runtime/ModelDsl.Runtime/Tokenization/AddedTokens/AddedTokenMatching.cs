namespace ModelDsl.Runtime.Tokenization.AddedTokens;

/// <summary>Which added tokens are recognised in a text.</summary>
public enum AddedTokenMatching
{
    /// <summary>All of them: for text that a chat template wrote.</summary>
    All,

    /// <summary>Special tokens are plain text, the others still match.</summary>
    NotSpecial,

    /// <summary>None: for text from outside, which must not be able to write control tokens.</summary>
    None,
}
