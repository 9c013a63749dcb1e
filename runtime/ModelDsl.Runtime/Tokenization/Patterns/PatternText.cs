namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>A cursor over the text of an expression, by code point.</summary>
internal sealed class PatternText(string text)
{
    public int Position { get; set; }

    public bool AtEnd => Position >= text.Length;

    /// <summary>The UTF-16 unit ahead; NUL at the end.</summary>
    public char Peek => AtEnd ? '\0' : text[Position];

    public bool Take(char expected)
    {
        if (AtEnd || text[Position] != expected)
            return false;
        Position++;
        return true;
    }

    public bool Take(string expected)
    {
        if (string.CompareOrdinal(text, Position, expected, 0, expected.Length) != 0)
            return false;
        Position += expected.Length;
        return true;
    }

    /// <summary>The next code point.</summary>
    public int Next()
    {
        if (AtEnd)
            throw Error("the expression ends in the middle");
        var codePoint = Utf16.CodePointAt(text, Position, out var length);
        Position += length;
        return codePoint;
    }

    /// <summary>A short decimal number, or null when no digit is ahead.</summary>
    public int? Digits()
    {
        var start = Position;
        var value = 0;
        while (!AtEnd && char.IsAsciiDigit(Peek) && Position - start < 7)
            value = value * 10 + (text[Position++] - '0');
        return Position == start ? null : value;
    }

    /// <summary>The text up to a closing mark, which is taken too.</summary>
    public string Until(char close)
    {
        var end = text.IndexOf(close, Math.Min(Position, text.Length));
        if (end < 0)
            throw Error($"'{close}' is missing");
        var inside = text[Position..end];
        Position = end + 1;
        return inside;
    }

    public string Fixed(int length)
    {
        if (Position + length > text.Length)
            throw Error("the expression ends in the middle");
        Position += length;
        return text[(Position - length)..Position];
    }

    public PatternException Error(string cause) => new($"regular expression, character {Position + 1}: {cause}");
}
