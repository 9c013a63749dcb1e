using System.Numerics;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>What lies inside a value: attributes, items, slices, and the items a loop runs over.</summary>
internal static class Members
{
    public static JinjaValue Attribute(JinjaValue value, string id) => value switch
    {
        JinjaValue.Undefined => throw new JinjaError($"\"{id}\" is asked of {Operators.Describe(value)}"),
        JinjaValue.Map map => MapMethods.Find(map, id) ?? map.Find(id) ?? Missing(id),
        JinjaValue.Text text => TextMethods.Find(text.Value, id) ?? Missing(id),
        JinjaValue.Namespace space => space.Items.GetValueOrDefault(id) ?? Missing(id),
        JinjaValue.Loop loop => LoopVariable.Find(loop, id) ?? Missing(id),
        JinjaValue.List list => ListMethods.Find(list, id) ?? Missing(id),
        _ => Missing(id),
    };

    public static JinjaValue Item(JinjaValue value, JinjaValue key, Budget budget)
    {
        switch (value, key)
        {
            case (JinjaValue.Undefined, _):
                throw new JinjaError($"an item is asked of {Operators.Describe(value)}");
            case (JinjaValue.Map map, _) when map.Items.TryGetValue(key, out var item):
                return item;
            case (JinjaValue.List list, _) when Operators.Whole(key) is { } index:
                return At(list.Items, index) ?? Missing(key);
            case (JinjaValue.Text text, _) when Operators.Whole(key) is { } index:
                budget.Spend(text.Value.Length);
                return CodePoints.At(text.Value, index) is { } part ? new JinjaValue.Text(part) : Missing(key);
            case (not JinjaValue.List, JinjaValue.Text name):
                return Attribute(value, name.Value);
            default:
                return Missing(key);
        }
    }

    public static JinjaValue Slice(JinjaValue value, int? start, int? stop, int? step, Budget budget)
    {
        switch (value)
        {
            case JinjaValue.List list:
                return new JinjaValue.List(Slice<JinjaValue>([.. list.Items], start, stop, step, budget), list.IsTuple);
            case JinjaValue.Text text:
                // One unit is one character in most texts; the others are taken apart.
                if (!text.Value.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
                    return new JinjaValue.Text(string.Concat(Slice(text.Value.AsSpan(), start, stop, step, budget)));
                budget.Make(text.Value.Length);
                return new JinjaValue.Text(string.Concat(Slice<string>([.. CodePoints.Split(text.Value)], start, stop, step, budget)));
            default:
                throw new JinjaError($"{Operators.Describe(value)} has no slices");
        }
    }

    /// <summary>The items of a list, the keys of a mapping, the characters of a string; nothing for what is undefined.</summary>
    public static IReadOnlyList<JinjaValue> Items(JinjaValue value, Budget budget)
    {
        switch (value)
        {
            case JinjaValue.List list:
                return list.Items;
            case JinjaValue.Map map:
                budget.Spend(map.Items.Count);
                return [.. map.Items.Keys];
            case JinjaValue.Text text:
                budget.Make(text.Value.Length);
                return [.. CodePoints.Split(text.Value).Select(c => new JinjaValue.Text(c))];
            case JinjaValue.Undefined:
                return [];
            default:
                throw new JinjaError($"{Operators.Describe(value)} has no items to go through");
        }
    }

    private static JinjaValue.Undefined Missing(string id) => new(id, IsName: true);

    private static JinjaValue.Undefined Missing(JinjaValue key) => new("the item", Key: key is JinjaValue.Undefined ? null : key);

    private static T? At<T>(IReadOnlyList<T> items, BigInteger index)
        where T : class
    {
        if (index < 0)
            index += items.Count;
        return index >= 0 && index < items.Count ? items[(int)index] : null;
    }

    private static List<T> Slice<T>(ReadOnlySpan<T> items, int? start, int? stop, int? step, Budget budget)
    {
        budget.Spend(items.Length);
        var by = step ?? 1;
        if (by == 0)
            throw new JinjaError("a slice with step 0");
        // Going backwards, the first index is the last item and the end lies before the first.
        var low = by > 0 ? 0 : -1;
        var high = by > 0 ? items.Length : items.Length - 1;
        var from = start is { } s ? Math.Clamp(s < 0 ? s + items.Length : s, low, high) : by > 0 ? low : high;
        var to = stop is { } e ? Math.Clamp(e < 0 ? e + items.Length : e, low, high) : by > 0 ? high : low;
        var result = new List<T>();
        for (long i = from; by > 0 ? i < to : i > to; i += by)
            result.Add(items[(int)i]);
        return result;
    }
}
