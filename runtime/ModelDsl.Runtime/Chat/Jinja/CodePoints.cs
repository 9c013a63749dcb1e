using System.Text;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>Strings as Python counts them: by code point, not by UTF-16 unit.</summary>
internal static class CodePoints
{
    public static int Length(string text)
    {
        var length = text.Length;
        for (var i = 1; i < text.Length; i++)
            if (char.IsSurrogatePair(text[i - 1], text[i]))
                length--;
        return length;
    }

    /// <summary>The code point with an index, counted from the end where it is negative; null where there is none.</summary>
    public static string? At(string text, System.Numerics.BigInteger index)
    {
        if (index < 0)
            index += Length(text);
        if (index < 0 || index >= text.Length)
            return null;
        var at = 0;
        for (var left = (int)index; left > 0 && at < text.Length; left--)
            at += WidthAt(text, at);
        return at < text.Length ? text.Substring(at, WidthAt(text, at)) : null;
    }

    /// <summary>Every code point as a string of its own.</summary>
    public static IReadOnlyList<string> Split(string text)
    {
        var parts = new List<string>(text.Length);
        for (var i = 0; i < text.Length; i++)
            parts.Add(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) ? text.Substring(i++, 2) : text[i].ToString());
        return parts;
    }

    private static int WidthAt(string text, int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;

    public static int Compare(string a, string b)
    {
        foreach (var (x, y) in a.EnumerateRunes().Zip(b.EnumerateRunes()))
            if (x != y)
                return x.CompareTo(y);
        return a.Length.CompareTo(b.Length);
    }

    /// <summary>Python's <c>title</c> (every word) or, for the first letter alone, <c>capitalize</c>.</summary>
    public static string Capitalise(string text, bool everyWord)
    {
        var result = new StringBuilder(text.Length);
        var atStart = true;
        foreach (var rune in text.EnumerateRunes())
        {
            result.Append(atStart ? Rune.ToUpperInvariant(rune) : Rune.ToLowerInvariant(rune));
            atStart = everyWord && !Rune.IsLetter(rune);
        }

        return result.ToString();
    }
}
