using System.Text.Json;

namespace ModelDsl.Runtime.Chat;

/// <summary>What a rendering may be given besides the messages.</summary>
public sealed record ChatVariables
{
    /// <summary>The tools the model may call, as a JSON array of descriptions.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Further variables, such as DeepSeek-V3.1's <c>thinking</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement> Others { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>The present, for templates that write the date; the clock when null.</summary>
    public Func<DateTime>? Now { get; init; }
}
