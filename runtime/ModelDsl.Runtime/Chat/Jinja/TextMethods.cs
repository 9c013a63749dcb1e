using System.Text;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>The methods of Python strings that templates call.</summary>
internal static class TextMethods
{
    public static JinjaValue? Find(string text, string id)
    {
        Func<CallArguments, JinjaValue>? body = id switch
        {
            "strip" => a => Text(Strip(text, a.TextOrNull(0, "chars"), left: true, right: true)),
            "lstrip" => a => Text(Strip(text, a.TextOrNull(0, "chars"), left: true, right: false)),
            "rstrip" => a => Text(Strip(text, a.TextOrNull(0, "chars"), left: false, right: true)),
            "split" => a => Split(text, a.TextOrNull(0, "sep"), a.IntOrNull(1, "maxsplit") ?? -1, a.Budget),
            "rsplit" => a => SplitFromRight(text, a.TextOrNull(0, "sep"), a.IntOrNull(1, "maxsplit") ?? -1, a.Budget),
            "splitlines" => a => List(Lines(text), a.Budget),
            "partition" => a => Partition(text, a.Text(0, "sep"), text.IndexOf(a.Text(0, "sep"), StringComparison.Ordinal)),
            "rpartition" => a => Partition(text, a.Text(0, "sep"), text.LastIndexOf(a.Text(0, "sep"), StringComparison.Ordinal)),
            "startswith" => a => AnyOf(a, text.StartsWith),
            "endswith" => a => AnyOf(a, text.EndsWith),
            "removeprefix" => a => Text(a.Text(0, "prefix") is var p && text.StartsWith(p, StringComparison.Ordinal) ? text[p.Length..] : text),
            "removesuffix" => a => Text(a.Text(0, "suffix") is var s && text.EndsWith(s, StringComparison.Ordinal) ? text[..^s.Length] : text),
            "replace" => a => Text(Replace(text, a.Text(0, "old"), a.Text(1, "new"), a.IntOrNull(2, "count") ?? -1, a.Budget)),
            "join" => a => Text(Filters.Join(Members.Items(a.Get(0, "iterable"), a.Budget), text, a.Budget)),
            "lower" => _ => Text(text.ToLowerInvariant()),
            "upper" => _ => Text(text.ToUpperInvariant()),
            "title" => _ => Text(CodePoints.Capitalise(text, everyWord: true)),
            "capitalize" => _ => Text(CodePoints.Capitalise(text, everyWord: false)),
            "find" => a => Index(text, text.IndexOf(a.Text(0, "sub"), StringComparison.Ordinal)),
            "rfind" => a => Index(text, text.LastIndexOf(a.Text(0, "sub"), StringComparison.Ordinal)),
            "count" => a => CallArguments.Number(Count(text, a.Text(0, "sub"))),
            "isdigit" => _ => JinjaValue.Bool.Of(text.Length > 0 && text.EnumerateRunes().All(Rune.IsDigit)),
            "isalpha" => _ => JinjaValue.Bool.Of(text.Length > 0 && text.EnumerateRunes().All(Rune.IsLetter)),
            "isspace" => _ => JinjaValue.Bool.Of(text.Length > 0 && text.All(char.IsWhiteSpace)),
            "isupper" => _ => JinjaValue.Bool.Of(text.Any(char.IsUpper) && !text.Any(char.IsLower)),
            "islower" => _ => JinjaValue.Bool.Of(text.Any(char.IsLower) && !text.Any(char.IsUpper)),
            _ => null,
        };
        return body is null ? null : new JinjaValue.Function(id, a =>
        {
            a.Budget.Spend(text.Length);
            return body(a);
        });
    }

    public static string Strip(string text, string? characters, bool left, bool right)
    {
        if (characters is not null)
        {
            var set = characters.ToCharArray();
            // An empty set strips nothing, where .NET would take it for white space.
            if (set.Length == 0)
                return text;
            text = left ? text.TrimStart(set) : text;
            return right ? text.TrimEnd(set) : text;
        }

        text = left ? text.TrimStart() : text;
        return right ? text.TrimEnd() : text;
    }

    /// <param name="count">How many at most; negative for all.</param>
    public static string Replace(string text, string old, string replacement, int count, Budget budget)
    {
        if (old.Length == 0)
            throw new JinjaError("replace needs a text to look for that is not empty");
        var result = new StringBuilder();
        var from = 0;
        for (; count != 0; count--)
        {
            var at = text.IndexOf(old, from, StringComparison.Ordinal);
            if (at < 0)
                break;
            result.Append(text, from, at - from).Append(replacement);
            from = at + old.Length;
            budget.Spend(result.Length > 1 << 20 ? replacement.Length : 0);
        }

        return budget.Check(result.Append(text, from, text.Length - from).ToString());
    }

    public static int Count(string text, string part) =>
        part.Length == 0 ? CodePoints.Length(text) + 1 : (text.Length - text.Replace(part, "", StringComparison.Ordinal).Length) / part.Length;

    private static JinjaValue.Text Text(string text) => new(text);

    private static JinjaValue.List List(IReadOnlyCollection<string> items, Budget budget)
    {
        budget.Make(items.Count);
        return new JinjaValue.List([.. items.Select(Text)]);
    }

    private static string[] Lines(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        return lines[^1].Length == 0 ? lines[..^1] : lines;
    }

    private static JinjaValue Index(string text, int at) => CallArguments.Number(at < 0 ? -1 : CodePoints.Length(text[..at]));

    private static JinjaValue.List Split(string text, string? separator, int most, Budget budget)
    {
        budget.Spend(text.Length);
        if (separator is null)
        {
            var words = new List<string>();
            var rest = text.TrimStart();
            while (rest.Length > 0 && (most < 0 || words.Count < most))
            {
                var end = rest.AsSpan().IndexOfAny(Whitespace);
                words.Add(end < 0 ? rest : rest[..end]);
                rest = end < 0 ? "" : rest[end..].TrimStart();
                budget.Spend(rest.Length);
            }

            if (rest.Length > 0)
                words.Add(rest);
            return List(words, budget);
        }

        if (separator.Length == 0)
            throw new JinjaError("split needs a separator that is not empty");
        return List(most < 0 ? text.Split(separator) : text.Split(separator, most == int.MaxValue ? most : most + 1), budget);
    }

    private static JinjaValue.List SplitFromRight(string text, string? separator, int most, Budget budget)
    {
        if (most < 0 || separator is null)
            return Split(text, separator, most, budget);
        if (separator.Length == 0)
            throw new JinjaError("rsplit needs a separator that is not empty");
        var parts = text.Split(separator);
        var kept = Math.Max(1, parts.Length - most);
        return List([string.Join(separator, parts[..kept]), .. parts[kept..]], budget);
    }

    private static JinjaValue.List Partition(string text, string separator, int at) => new(
        at < 0 ? [Text(text), Text(""), Text("")] : [Text(text[..at]), Text(separator), Text(text[(at + separator.Length)..])],
        IsTuple: true);

    private static JinjaValue AnyOf(CallArguments arguments, Func<string, StringComparison, bool> matches) =>
        JinjaValue.Bool.Of(arguments.Get(0, "prefix") switch
        {
            JinjaValue.Text one => matches(one.Value, StringComparison.Ordinal),
            JinjaValue.List { IsTuple: true } many => many.Items.OfType<JinjaValue.Text>().Any(t => matches(t.Value, StringComparison.Ordinal)),
            var other => throw new JinjaError($"a string cannot start or end with {Operators.Describe(other)}"),
        });

    private static readonly System.Buffers.SearchValues<char> Whitespace =
        System.Buffers.SearchValues.Create([.. Enumerable.Range(0, 65536).Select(c => (char)c).Where(char.IsWhiteSpace)]);
}
