namespace ModelDsl.Runtime.Tokenization.AddedTokens;

/// <summary>A token matched in the text as it stands, before the text is cut into pieces.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">The text it is matched by and decodes to.</param>
/// <param name="Special">A control token: left out when special tokens are skipped.</param>
/// <param name="SingleWord">Matches only where no letter, mark, digit or underscore touches it.</param>
/// <param name="StripLeft">Swallows white space before it.</param>
/// <param name="StripRight">Swallows white space after it.</param>
/// <param name="Normalized">Is matched after normalization rather than before.</param>
public sealed record AddedToken(
    int Id, string Content, bool Special, bool SingleWord, bool StripLeft, bool StripRight, bool Normalized);
