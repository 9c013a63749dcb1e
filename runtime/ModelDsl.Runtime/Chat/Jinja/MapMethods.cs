namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>The methods of Python dictionaries that do not change them.</summary>
internal static class MapMethods
{
    public static JinjaValue? Find(JinjaValue.Map map, string id)
    {
        Func<CallArguments, JinjaValue>? body = id switch
        {
            "items" => _ => Pairs(map),
            "keys" => _ => new JinjaValue.List([.. map.Items.Keys]),
            "values" => _ => new JinjaValue.List([.. map.Items.Values]),
            "get" => a => map.Items.TryGetValue(a.Get(0, "key"), out var value) ? value : a.Find(1, "default") ?? JinjaValue.None.Instance,
            _ => null,
        };
        return body is null ? null : new JinjaValue.Function(id, a =>
        {
            a.Budget.Spend(id == "get" ? 0 : map.Items.Count);
            return body(a);
        });
    }

    /// <summary>Keys with their values, as tuples.</summary>
    public static JinjaValue.List Pairs(JinjaValue.Map map) =>
        new([.. map.Items.Select(i => new JinjaValue.List([i.Key, i.Value], IsTuple: true))]);
}
