using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Importing;

/// <summary>A JSON value and where it stands, so that messages about a configuration can point into it.</summary>
internal abstract record JsonNode(SourceSpan Span)
{
    /// <summary>As a message would quote it.</summary>
    public abstract string Text { get; }
}

internal sealed record JsonObject(SourceSpan Span, IReadOnlyDictionary<string, JsonNode> Members) : JsonNode(Span)
{
    public override string Text => "an object";

    /// <summary>Null when the key is absent or its value is <c>null</c>.</summary>
    public JsonNode? Find(string key) => Members.TryGetValue(key, out var value) && value is not JsonNull ? value : null;
}

internal sealed record JsonArray(SourceSpan Span, IReadOnlyList<JsonNode> Items) : JsonNode(Span)
{
    public override string Text => $"[{string.Join(", ", Items.Select(i => i.Text))}]";
}

internal sealed record JsonString(SourceSpan Span, string Value) : JsonNode(Span)
{
    public override string Text => $"\"{Value}\"";
}

internal sealed record JsonNumber(SourceSpan Span, double Value, string Written) : JsonNode(Span)
{
    public override string Text => Written;
}

internal sealed record JsonBoolean(SourceSpan Span, bool Value) : JsonNode(Span)
{
    public override string Text => Value ? "true" : "false";
}

internal sealed record JsonNull(SourceSpan Span) : JsonNode(Span)
{
    public override string Text => "null";
}
