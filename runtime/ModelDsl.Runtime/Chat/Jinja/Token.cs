namespace ModelDsl.Runtime.Chat.Jinja;

internal enum TokenKind
{
    /// <summary>Text between tags, whitespace control already applied.</summary>
    Data,

    /// <summary><c>{{</c></summary>
    OutputBegin,

    /// <summary><c>}}</c></summary>
    OutputEnd,

    /// <summary><c>{%</c></summary>
    BlockBegin,

    /// <summary><c>%}</c></summary>
    BlockEnd,

    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A token of a template; <paramref name="Text"/> of a string has its escapes resolved.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line);
