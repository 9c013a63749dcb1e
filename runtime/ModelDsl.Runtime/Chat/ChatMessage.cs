namespace ModelDsl.Runtime.Chat;

/// <summary>One message of a conversation.</summary>
/// <param name="Role">Who speaks: "system", "user", "assistant" or "tool".</param>
/// <param name="Content">What is said; null when an assistant only calls tools.</param>
public sealed record ChatMessage(string Role, string? Content)
{
    /// <summary>The tools an assistant calls.</summary>
    public IReadOnlyList<ChatToolCall> ToolCalls { get; init; } = [];

    /// <summary>Which call a tool's message answers.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>The name of the speaker or tool.</summary>
    public string? Name { get; init; }
}

/// <summary>A call of a tool by an assistant.</summary>
/// <param name="Id">What the answer refers to.</param>
/// <param name="Name">The function's name.</param>
/// <param name="Arguments">Its arguments, as JSON text.</param>
public sealed record ChatToolCall(string Id, string Name, string Arguments);
