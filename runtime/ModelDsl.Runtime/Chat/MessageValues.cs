using ModelDsl.Runtime.Chat.Jinja;

namespace ModelDsl.Runtime.Chat;

/// <summary>Messages in the shape templates expect: mappings whose absent parts are absent, not none.</summary>
internal static class MessageValues
{
    public static JinjaValue From(ChatMessage message)
    {
        var items = new OrderedDictionary<JinjaValue, JinjaValue>
        {
            [Key("role")] = Text(message.Role),
            [Key("content")] = message.Content is null ? JinjaValue.None.Instance : Text(message.Content),
        };
        if (message.Name is not null)
            items[Key("name")] = Text(message.Name);
        if (message.ToolCallId is not null)
            items[Key("tool_call_id")] = Text(message.ToolCallId);
        if (message.ToolCalls.Count > 0)
            items[Key("tool_calls")] = new JinjaValue.List([.. message.ToolCalls.Select(From)]);
        return new JinjaValue.Map(items);
    }

    private static JinjaValue.Map From(ChatToolCall call) => new(new OrderedDictionary<JinjaValue, JinjaValue>
    {
        [Key("id")] = Text(call.Id),
        [Key("type")] = Text("function"),
        [Key("function")] = new JinjaValue.Map(new OrderedDictionary<JinjaValue, JinjaValue>
        {
            [Key("name")] = Text(call.Name),
            [Key("arguments")] = Text(call.Arguments),
        }),
    });

    private static JinjaValue Key(string name) => new JinjaValue.Text(name);

    private static JinjaValue Text(string text) => new JinjaValue.Text(text);
}
