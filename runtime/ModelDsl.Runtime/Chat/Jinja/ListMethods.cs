namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>The methods of Python lists that do not change them.</summary>
internal static class ListMethods
{
    public static JinjaValue? Find(JinjaValue.List list, string id) => id switch
    {
        "count" => new JinjaValue.Function(id, a =>
        {
            a.Budget.Spend(list.Items.Count);
            return CallArguments.Number(list.Items.Count(i => Operators.AreEqual(i, a.Get(0, "value"), a.Budget)));
        }),
        "index" => new JinjaValue.Function(id, a =>
        {
            a.Budget.Spend(list.Items.Count);
            for (var i = 0; i < list.Items.Count; i++)
                if (Operators.AreEqual(list.Items[i], a.Get(0, "value"), a.Budget))
                    return CallArguments.Number(i);
            throw new JinjaError("the value is not in the list");
        }),
        "append" or "extend" or "insert" or "pop" or "remove" or "clear" or "sort" or "reverse" =>
            throw new JinjaError($"\"{id}\" would change a list, which templates may not do"),
        _ => null,
    };
}
