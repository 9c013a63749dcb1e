using System.Globalization;
using System.Text;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>Tokens of an expression, up to the end of its tag; an end inside brackets or strings is none.</summary>
internal sealed class ExpressionLexer(string source, int position, int line, string end)
{
    private static readonly string[] Operators =
        ["==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "~", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|", "="];

    private readonly Stack<char> _open = new();

    public int Position { get; private set; } = position;

    public int Line { get; private set; } = line;

    /// <summary>Appends the tokens and passes over the end; returns its whitespace mark, a space if it has none.</summary>
    public char Run(List<Token> tokens)
    {
        var first = Line;
        while (true)
        {
            SkipSpace();
            if (Position >= source.Length)
                throw new JinjaError($"a tag is not closed: \"{end}\" is missing", first);
            if (_open.Count == 0 && TakeEnd() is { } mark)
                return mark;
            tokens.Add(Next());
        }
    }

    private char? TakeEnd()
    {
        var mark = source[Position] is '-' or '+' ? source[Position] : ' ';
        var at = mark == ' ' ? Position : Position + 1;
        if (string.CompareOrdinal(source, at, end, 0, 2) != 0)
            return null;
        Position = at + 2;
        return mark;
    }

    private void SkipSpace()
    {
        for (; Position < source.Length && char.IsWhiteSpace(source[Position]); Position++)
            if (source[Position] == '\n')
                Line++;
    }

    private Token Next()
    {
        var c = source[Position];
        if (c is '\'' or '"')
            return Text(c);
        if (char.IsAsciiDigit(c))
            return Number();
        if (char.IsLetter(c) || c == '_')
            return new Token(TokenKind.Name, While(ch => char.IsLetterOrDigit(ch) || ch == '_'), Line);
        foreach (var op in Operators)
        {
            if (string.CompareOrdinal(source, Position, op, 0, op.Length) != 0)
                continue;
            Position += op.Length;
            Balance(op[0]);
            return new Token(TokenKind.Operator, op, Line);
        }

        throw new JinjaError($"the character '{c}' belongs nowhere in an expression", Line);
    }

    private void Balance(char bracket)
    {
        if (bracket is '(' or '[' or '{')
            _open.Push(bracket);
        else if (bracket is ')' or ']' or '}' && !(_open.TryPop(out var open) && (open, bracket) is ('(', ')') or ('[', ']') or ('{', '}')))
            throw new JinjaError($"'{bracket}' closes nothing", Line);
    }

    private string While(Func<char, bool> accept)
    {
        var start = Position;
        while (Position < source.Length && accept(source[Position]))
            Position++;
        return source[start..Position];
    }

    private Token Number()
    {
        var digits = While(c => char.IsAsciiDigit(c) || c == '_');
        var kind = TokenKind.Integer;
        if (Position + 1 < source.Length && source[Position] == '.' && char.IsAsciiDigit(source[Position + 1]))
        {
            kind = TokenKind.Float;
            Position++;
            digits += "." + While(c => char.IsAsciiDigit(c) || c == '_');
        }

        if (Position + 1 < source.Length && source[Position] is 'e' or 'E'
            && (char.IsAsciiDigit(source[Position + 1]) || source[Position + 1] is '-' or '+'))
        {
            kind = TokenKind.Float;
            digits += source[Position..(Position + 2)];
            Position += 2;
            digits += While(char.IsAsciiDigit);
        }

        return new Token(kind, digits.Replace("_", "", StringComparison.Ordinal), Line);
    }

    private Token Text(char quote)
    {
        var start = Line;
        var text = new StringBuilder();
        for (Position++; ; Position++)
        {
            if (Position >= source.Length)
                throw new JinjaError("a string is not closed", start);
            var c = source[Position];
            if (c == quote)
                break;
            if (c == '\n')
                Line++;
            if (c == '\\' && Position + 1 < source.Length)
                Escape(text);
            else
                text.Append(c);
        }

        Position++;
        return new Token(TokenKind.String, text.ToString(), start);
    }

    /// <summary>Python's escapes; one it does not know stays as written.</summary>
    private void Escape(StringBuilder text)
    {
        var c = source[++Position];
        _ = c switch
        {
            'n' => text.Append('\n'),
            't' => text.Append('\t'),
            'r' => text.Append('\r'),
            '0' => text.Append('\0'),
            'a' => text.Append('\a'),
            'b' => text.Append('\b'),
            'f' => text.Append('\f'),
            'v' => text.Append('\v'),
            '\\' or '\'' or '"' => text.Append(c),
            '\n' => text,
            'x' => Hex(text, 2),
            'u' => Hex(text, 4),
            'U' => Hex(text, 8),
            _ => text.Append('\\').Append(c),
        };
        if (c == '\n')
            Line++;
    }

    private StringBuilder Hex(StringBuilder text, int digits)
    {
        if (Position + digits >= source.Length
            || !int.TryParse(source.AsSpan(Position + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            || value is < 0 or > 0x10FFFF)
            throw new JinjaError("a string holds a malformed escape", Line);
        Position += digits;
        return value > 0xFFFF ? text.Append(char.ConvertFromUtf32(value)) : text.Append((char)value);
    }
}
