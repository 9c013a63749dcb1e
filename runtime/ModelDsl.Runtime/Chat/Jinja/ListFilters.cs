using System.Globalization;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>Filters on what has items.</summary>
internal static class ListFilters
{
    public static JinjaValue Apply(string id, JinjaValue value, CallArguments a)
    {
        switch (id)
        {
            case "items":
                return value is JinjaValue.Map map ? MapMethods.Pairs(map) : throw new JinjaError($"{Operators.Describe(value)} is no mapping");
            case "dictsort":
                return DictSort(value, a);
            case "first":
                return Items(value, a) is [var first, ..] ? first : new JinjaValue.Undefined("the first of nothing");
            case "last":
                return Items(value, a) is [.., var last] ? last : new JinjaValue.Undefined("the last of nothing");
            case "join":
                var attribute = a.TextOrNull(1, "attribute");
                IReadOnlyList<JinjaValue> parts = Items(value, a);
                return new JinjaValue.Text(Filters.Join(
                    attribute is null ? parts : [.. parts.Select(i => Path(i, attribute, a))], a.TextOrNull(0, "d") ?? "", a.Budget));
            case "list":
                return new JinjaValue.List(Items(value, a));
            case "reverse":
                return value is JinjaValue.Text
                    ? new JinjaValue.Text(string.Concat(Items(value, a).Reverse().Select(i => ((JinjaValue.Text)i).Value)))
                    : new JinjaValue.List([.. Items(value, a).Reverse()]);
            case "sort":
                return Sort(value, a);
            case "unique":
                return Unique(value, a);
            case "sum":
                return Items(value, a).Aggregate(
                    a.Find(1, "start") ?? CallArguments.Number(0),
                    (sum, i) => Operators.Binary("+", sum, a.TextOrNull(0, "attribute") is { } path ? Path(i, path, a) : i, a.Budget));
            case "min":
                return Extreme(value, a, sign: -1);
            case "max":
                return Extreme(value, a, sign: 1);
            case "map":
                return Map(value, a);
            case "select" or "reject":
                return Select(value, a, attribute: null, firstArgument: 0, keep: id == "select");
            case "selectattr" or "rejectattr":
                return Select(value, a, a.Text(0, "attribute"), firstArgument: 1, keep: id == "selectattr");
            default:
                throw new JinjaError($"there is no filter \"{id}\"");
        }
    }

    private static IReadOnlyList<JinjaValue> Items(JinjaValue value, CallArguments a)
    {
        var items = Members.Items(value, a.Budget);
        a.Budget.Spend(items.Count);
        return items;
    }

    /// <summary>An attribute, dots and list indices included.</summary>
    private static JinjaValue Path(JinjaValue value, string path, CallArguments a)
    {
        foreach (var part in path.Split('.'))
        {
            JinjaValue key = int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                ? CallArguments.Number(index)
                : new JinjaValue.Text(part);
            value = value is JinjaValue.Undefined ? value : Members.Item(value, key, a.Budget);
        }

        return value;
    }

    private static JinjaValue Folded(JinjaValue value, bool caseSensitive) =>
        !caseSensitive && value is JinjaValue.Text text ? new JinjaValue.Text(text.Value.ToLowerInvariant()) : value;

    private static JinjaValue.List Sort(JinjaValue value, CallArguments a)
    {
        var (reverse, caseSensitive, attribute) = (a.Flag(0, "reverse"), a.Flag(1, "case_sensitive"), a.TextOrNull(2, "attribute"));
        return new JinjaValue.List(Operators.Sort(
            Items(value, a), i => Folded(attribute is null ? i : Path(i, attribute, a), caseSensitive), reverse, a.Budget));
    }

    private static JinjaValue.List DictSort(JinjaValue value, CallArguments a)
    {
        if (value is not JinjaValue.Map map)
            throw new JinjaError($"{Operators.Describe(value)} is no mapping");
        var (caseSensitive, by, reverse) = (a.Flag(0, "case_sensitive"), a.TextOrNull(1, "by") == "value" ? 1 : 0, a.Flag(2, "reverse"));
        return new JinjaValue.List(Operators.Sort(
            MapMethods.Pairs(map).Items, i => Folded(((JinjaValue.List)i).Items[by], caseSensitive), reverse, a.Budget));
    }

    private static JinjaValue.List Unique(JinjaValue value, CallArguments a)
    {
        var (caseSensitive, attribute) = (a.Flag(0, "case_sensitive"), a.TextOrNull(1, "attribute"));
        var seen = new List<JinjaValue>();
        var kept = new List<JinjaValue>();
        foreach (var item in Items(value, a))
        {
            a.Budget.Spend((long)Budget.CharactersPerStep * seen.Count);
            var key = Folded(attribute is null ? item : Path(item, attribute, a), caseSensitive);
            if (seen.Any(s => Operators.AreEqual(s, key, a.Budget)))
                continue;
            seen.Add(key);
            kept.Add(item);
        }

        return new JinjaValue.List(kept);
    }

    private static JinjaValue Extreme(JinjaValue value, CallArguments a, int sign)
    {
        JinjaValue? best = null;
        foreach (var item in Items(value, a))
            if (best is null || sign * Operators.Order(Folded(item, a.Flag(0, "case_sensitive")), Folded(best, a.Flag(0, "case_sensitive")), a.Budget) > 0)
                best = item;
        return best ?? new JinjaValue.Undefined("the extreme of nothing");
    }

    private static JinjaValue.List Map(JinjaValue value, CallArguments a)
    {
        var items = Items(value, a);
        if (a.Positional.Count == 0 && a.TextOrNull(0, "attribute") is { } path)
            return new JinjaValue.List([.. items.Select(i => Path(i, path, a) is var found and not JinjaValue.Undefined
                ? found
                : a.Find(1, "default") ?? new JinjaValue.Undefined(path, IsName: true))]);
        var filter = a.Text(0, "filter");
        var rest = new CallArguments($"the filter \"{filter}\"", [.. a.Positional.Skip(1)], a.Named, a.Budget);
        return new JinjaValue.List([.. items.Select(i => Filters.Apply(filter, i, rest))]);
    }

    private static JinjaValue.List Select(JinjaValue value, CallArguments a, string? attribute, int firstArgument, bool keep)
    {
        var test = a.Positional.Count > firstArgument ? a.Text(firstArgument, "test") : null;
        var rest = new CallArguments($"the test \"{test}\"", [.. a.Positional.Skip(firstArgument + 1)], a.Named, a.Budget);
        return new JinjaValue.List([.. Items(value, a).Where(i =>
        {
            var tested = attribute is null ? i : Path(i, attribute, a);
            return (test is null ? Operators.IsTrue(tested) : ApplyTest(test, tested, rest)) == keep;
        })]);
    }

    /// <summary>Here operators are names of tests too.</summary>
    private static bool ApplyTest(string id, JinjaValue value, CallArguments rest) =>
        id is "==" or "!=" or "<" or "<=" or ">" or ">=" ? Operators.Compare(id, value, rest.Get(0, "other"), rest.Budget) : Tests.Apply(id, value, rest);
}
