namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>A cursor over tokens, shared by the two parsers.</summary>
internal sealed class TokenStream(IReadOnlyList<Token> tokens)
{
    private int _at;

    public Token Current => tokens[_at];

    public Token Ahead => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public int Line => Current.Line;

    public Token Take()
    {
        var token = Current;
        if (_at < tokens.Count - 1)
            _at++;
        return token;
    }

    public bool Is(TokenKind kind, string? text = null) => Current.Kind == kind && (text is null || Current.Text == text);

    public bool IsName(string name) => Is(TokenKind.Name, name);

    public bool TakeOperator(string text) => TakeIf(Is(TokenKind.Operator, text));

    public bool TakeName(string text) => TakeIf(IsName(text));

    public string Name(string what) =>
        Is(TokenKind.Name) ? Take().Text : throw Error($"{what} is missing before {Describe()}");

    public void Expect(TokenKind kind, string text)
    {
        var what = kind is TokenKind.BlockEnd or TokenKind.OutputEnd ? "the end of the tag" : $"\"{text}\"";
        if (!TakeIf(Is(kind, text)))
            throw Error($"{what} is missing before {Describe()}");
    }

    public JinjaError Error(string message) => new(message, Line);

    public string Describe() => Current.Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.OutputEnd or TokenKind.BlockEnd => "the end of the tag",
        TokenKind.Data => "text",
        TokenKind.OutputBegin or TokenKind.BlockBegin => "a tag",
        _ => $"\"{Current.Text}\"",
    };

    private bool TakeIf(bool matches)
    {
        if (matches)
            Take();
        return matches;
    }
}
