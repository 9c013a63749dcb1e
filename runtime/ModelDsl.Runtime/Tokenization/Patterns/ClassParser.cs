using System.Globalization;

namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>Reads <c>[…]</c> (ranges, nested classes, <c>&amp;&amp;</c>, negation) and escapes that stand for one code point of a set.</summary>
internal static class ClassParser
{
    private const int MaxDepth = 16;

    /// <summary>A class whose opening bracket is already taken.</summary>
    public static CodePointSet Parse(PatternText text) => Parse(text, 0);

    private static CodePointSet Parse(PatternText text, int depth)
    {
        if (depth > MaxDepth)
            throw text.Error($"classes nested deeper than {MaxDepth}");
        if (text.Take(':'))
            throw text.Error("POSIX brackets are not supported");
        var negated = text.Take('^');
        var set = CodePointSet.Empty;
        CodePointSet? left = null;
        for (var first = true; ; first = false)
        {
            if (text.AtEnd)
                throw text.Error("a class is not closed");
            if (!first && text.Take(']'))
                break;
            if (text.Take("&&"))
            {
                left = left is null ? set : left.Intersect(set);
                set = CodePointSet.Empty;
            }
            else
            {
                set = set.Union(text.Take('[') ? Parse(text, depth + 1) : Item(text));
            }
        }

        if (left is not null)
            set = left.Intersect(set);
        return negated ? set.Complement() : set;
    }

    private static CodePointSet Item(PatternText text)
    {
        var low = Single(text, out var set);
        if (set is not null)
            return set;
        var start = text.Position;
        if (!text.Take('-'))
            return CodePointSet.Of(low);
        // A dash before the closing bracket, or before a named set, is a dash.
        if (text.Peek is ']' or '[')
        {
            text.Position = start;
            return CodePointSet.Of(low);
        }

        var high = Single(text, out set);
        if (set is not null)
            return CodePointSet.Of(low).Union(CodePointSet.Of('-')).Union(set);
        return high >= low ? CodePointSet.Range(low, high) : throw text.Error("a range whose end lies before its start");
    }

    private static int Single(PatternText text, out CodePointSet? set)
    {
        set = null;
        var c = text.Next();
        if (c != '\\')
            return c;
        set = Escape(text);
        var bounds = set.Bounds;
        if (bounds.Length == 2 && bounds[1] == bounds[0] + 1)
        {
            c = bounds[0];
            set = null;
        }

        return c;
    }

    /// <summary>An escape whose backslash is already taken.</summary>
    public static CodePointSet Escape(PatternText text)
    {
        switch (text.Next())
        {
            case 's': return UnicodeSets.Space;
            case 'S': return UnicodeSets.Space.Complement();
            case 'd': return UnicodeSets.Digit;
            case 'D': return UnicodeSets.Digit.Complement();
            case 'w': return UnicodeSets.Word;
            case 'W': return UnicodeSets.Word.Complement();
            case 'p': return Property(text, negated: false);
            case 'P': return Property(text, negated: true);
            case 'n': return CodePointSet.Of('\n');
            case 'r': return CodePointSet.Of('\r');
            case 't': return CodePointSet.Of('\t');
            case 'f': return CodePointSet.Of('\f');
            case 'v': return CodePointSet.Of('\v');
            case 'e': return CodePointSet.Of(0x1B);
            case '0': return CodePointSet.Of(0);
            case 'u': return Hex(text, text.Fixed(4));
            case 'x': return Hex(text, text.Take('{') ? text.Until('}') : text.Fixed(2));
            case var letter when letter < 128 && char.IsAsciiLetterOrDigit((char)letter):
                throw text.Error($"the escape '\\{(char)letter}' is not supported");
            case var literal: return CodePointSet.Of(literal);
        }
    }

    private static CodePointSet Property(PatternText text, bool negated)
    {
        var name = text.Take('{') ? text.Until('}') : text.Fixed(1);
        if (name.StartsWith('^'))
            (name, negated) = (name[1..], !negated);
        var set = UnicodeSets.Property(name) ?? throw text.Error($"the property \\p{{{name}}} is not supported");
        return negated ? set.Complement() : set;
    }

    private static CodePointSet Hex(PatternText text, string digits) =>
        int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && value is >= 0 and < CodePointSet.Limit
            ? CodePointSet.Of(value)
            : throw text.Error("not the hexadecimal number of a character");
}
