using System.Globalization;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Parsing;

/// <summary>Walks over PTX text: blanks, comments, names, literals.</summary>
internal sealed class PtxCursor(PtxSource source)
{
    private const int DeepestNest = 64;

    private readonly string _text = source.Text;
    private int _depth;

    public int Position { get; set; }

    public PtxSource Source => source;

    public bool AtEnd
    {
        get
        {
            SkipBlanks();
            return Position >= _text.Length;
        }
    }

    /// <summary>The next character that is no blank or comment; zero at the end.</summary>
    public char Peek()
    {
        SkipBlanks();
        return Position < _text.Length ? _text[Position] : '\0';
    }

    public bool TryTake(char c)
    {
        if (Peek() != c) return false;
        Position++;
        return true;
    }

    public void Expect(char c)
    {
        if (TryTake(c)) return;
        throw Error($"expected '{c}' but found {Describe()}");
    }

    /// <summary>Goes into a pair of braces or brackets, of which no sensible text has many inside one another; a thread's stack has an end.</summary>
    public void Enter()
    {
        if (++_depth > DeepestNest) throw Error($"more than {DeepestNest} brackets are open at once");
    }

    public void Leave() => _depth--;

    public DeviceException Error(string message) => source.Error(Position, message);

    public string Describe()
    {
        char c = Peek();
        if (c == '\0') return "the end of the text";
        ReadOnlySpan<char> word = PeekWord();
        return word.Length > 0 ? $"'{word}'" : $"'{c}'";
    }

    public ReadOnlySpan<char> PeekWord()
    {
        SkipBlanks();
        int end = Position;
        while (end < _text.Length && IsWord(_text[end])) end++;
        return _text.AsSpan(Position, end - Position);
    }

    /// <summary>A name such as <c>%r12</c>, <c>$L__BB0_1</c>, <c>.param</c>; dots are no part of it except one in front.</summary>
    public ReadOnlySpan<char> Word()
    {
        SkipBlanks();
        int start = Position, end = start;
        if (end < _text.Length && _text[end] == '.') end++;
        while (end < _text.Length && IsWord(_text[end])) end++;
        if (end == start) throw Error($"expected a name but found {Describe()}");
        Position = end;
        return _text.AsSpan(start, end - start);
    }

    /// <summary>Passes over a name or a single other character.</summary>
    public void SkipWord()
    {
        if (Peek() == '\0') throw Error("the text ends inside parentheses");
        Position++;
        while (Position < _text.Length && IsWord(_text[Position])) Position++;
    }

    public ReadOnlySpan<char> Opcode()
    {
        SkipBlanks();
        int start = Position, end = start;
        while (end < _text.Length && (IsWord(_text[end]) || _text[end] is '.' or ':'))
        {
            // A single colon ends a label; a double one is part of a qualifier such as L2::128B.
            if (_text[end] == ':')
            {
                if (end + 1 >= _text.Length || _text[end + 1] != ':') break;
                end++;
            }
            end++;
        }
        if (end == start) throw Error($"expected an instruction but found {Describe()}");
        Position = end;
        return _text.AsSpan(start, end - start);
    }

    public string Quoted()
    {
        Expect('"');
        int end = _text.IndexOf('"', Position);
        if (end < 0) throw Error("a string without an end");
        string value = _text[Position..end];
        Position = end + 1;
        return value;
    }

    public void SkipLine()
    {
        int end = _text.IndexOf('\n', Position);
        Position = end < 0 ? _text.Length : end + 1;
    }

    public int Integer()
    {
        Operand number = Number(Peek() == '-');
        if (number.Kind != OperandKind.Integer) throw source.Error(number.Position, "expected an integer");
        return (int)number.Bits;
    }

    /// <summary>An integer or float literal, with its sign if there is one.</summary>
    public Operand Number(bool signed = false)
    {
        int start = Position;
        bool negative = signed && TryTake('-');
        SkipBlanks();
        int at = Position, end = at;
        while (end < _text.Length && (char.IsAsciiLetterOrDigit(_text[end]) || _text[end] == '.'
            || (_text[end] is '+' or '-' && end > at && _text[end - 1] is 'e' or 'E' && !IsPrefixed(at)))) end++;
        ReadOnlySpan<char> word = _text.AsSpan(at, end - at);
        Position = end;
        if (word.Length == 0 || !char.IsAsciiDigit(word[0])) throw source.Error(at, $"expected a number but found {Describe()}");
        if (word.Length == 10 && word[1] is 'f' or 'F' && uint.TryParse(word[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint single))
            return new Operand(OperandKind.Single, start) { Bits = negative ? single ^ 0x80000000 : single };
        if (word.Length == 18 && word[1] is 'd' or 'D' && ulong.TryParse(word[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong @double))
            return new Operand(OperandKind.Double, start) { Bits = negative ? @double ^ (1UL << 63) : @double };
        if (TryInteger(word, out ulong bits))
            return new Operand(OperandKind.Integer, start) { Bits = negative ? 0 - bits : bits };
        if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
            return new Operand(OperandKind.Double, start) { Bits = BitConverter.DoubleToUInt64Bits(negative ? -value : value) };
        throw source.Error(at, $"'{word}' is not a number");
    }

    private bool IsPrefixed(int at) => at + 1 < _text.Length && _text[at] == '0' && _text[at + 1] is 'x' or 'X';

    private static bool TryInteger(ReadOnlySpan<char> word, out ulong bits)
    {
        if (word[^1] is 'U' or 'u') word = word[..^1];
        bits = 0;
        if (word.Length == 0) return false;
        if (word.Length > 2 && word[0] == '0' && word[1] is 'x' or 'X')
            return ulong.TryParse(word[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bits);
        if (word.Length > 2 && word[0] == '0' && word[1] is 'b' or 'B')
            return ulong.TryParse(word[2..], NumberStyles.AllowBinarySpecifier, CultureInfo.InvariantCulture, out bits);
        if (word.Length > 1 && word[0] == '0' && word.IndexOfAnyExceptInRange('0', '7') < 0)
        {
            foreach (char c in word) bits = bits * 8 + (ulong)(c - '0');
            return true;
        }
        return ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out bits);
    }

    private static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '%';

    private void SkipBlanks()
    {
        while (Position < _text.Length)
        {
            char c = _text[Position];
            if (c is ' ' or '\n' or '\r' or '\t' or '\0')
            {
                Position++;
            }
            else if (c == '/' && Position + 1 < _text.Length && _text[Position + 1] == '/')
            {
                SkipLine();
            }
            else if (c == '/' && Position + 1 < _text.Length && _text[Position + 1] == '*')
            {
                int end = _text.IndexOf("*/", Position + 2, StringComparison.Ordinal);
                if (end < 0) throw Error("a comment without an end");
                Position = end + 2;
            }
            else
            {
                return;
            }
        }
    }
}
