using System.Text;
using System.Text.Json;
using ModelDsl.Runtime.Tokenization.Patterns;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>Reads a pattern: <c>{"Regex": …}</c>, or <c>{"String": …}</c> for literal text.</summary>
internal static class PatternReader
{
    public static Pattern Read(ref JsonCursor cursor)
    {
        cursor.Expect(JsonTokenType.StartObject, "a pattern");
        Pattern? pattern = null;
        while (cursor.NextProperty(out var name))
        {
            var text = cursor.String(name);
            pattern = name switch
            {
                "Regex" => Parse(cursor, text),
                "String" when text.Length > 0 => Parse(cursor, Escape(text)),
                _ => throw cursor.Fail($"a pattern of kind \"{name}\" is not supported"),
            };
        }

        return pattern ?? throw cursor.Fail("a pattern needs a Regex or a String");
    }

    public static Pattern Parse(JsonCursor cursor, string expression)
    {
        try
        {
            return Pattern.Parse(expression);
        }
        catch (PatternException e)
        {
            throw cursor.Fail(e.Message, e);
        }
    }

    private static string Escape(string text)
    {
        var result = new StringBuilder();
        foreach (var unit in text)
            result.Append(unit < 128 && !char.IsAsciiLetterOrDigit(unit) ? "\\" : "").Append(unit);
        return result.ToString();
    }
}
