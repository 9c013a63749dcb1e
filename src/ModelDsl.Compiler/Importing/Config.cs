using System.Globalization;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Importing;

/// <summary>Typed access to the keys of a configuration; what is missing or of the wrong type is reported once.</summary>
internal sealed class Config(JsonObject json, DiagnosticBag diagnostics)
{
    public JsonObject Json { get; } = json;

    public JsonNode? Find(string key) => Json.Find(key);

    public SourceSpan SpanOf(string key) => Find(key)?.Span ?? new SourceSpan(Json.Span.Path, Json.Span.Start, 1);

    /// <summary>A whole number; without a default the key must be there.</summary>
    public long Int(string key, long? absent = null)
    {
        if (Find(key) is not { } node)
        {
            if (absent is null) diagnostics.Add(Catalogue.ConfigMissingKey(SpanOf(key), key));
            return absent ?? 1;
        }

        if (node is JsonNumber { Value: var value } && value == Math.Round(value) && Math.Abs(value) < 1e15) return (long)value;
        diagnostics.Add(Catalogue.ConfigWrongType(node.Span, key, "a whole number"));
        return absent ?? 1;
    }

    /// <summary>A number as the language writes it: shortest digits that give the same value.</summary>
    public string Number(string key, double absent) => Show(Double(key, absent));

    public double Double(string key, double absent)
    {
        switch (Find(key))
        {
            case null:
                return absent;
            case JsonNumber number:
                return number.Value;
            case var other:
                diagnostics.Add(Catalogue.ConfigWrongType(other.Span, key, "a number"));
                return absent;
        }
    }

    public bool Flag(string key, bool absent)
    {
        switch (Find(key))
        {
            case null:
                return absent;
            case JsonBoolean flag:
                return flag.Value;
            case var other:
                diagnostics.Add(Catalogue.ConfigWrongType(other.Span, key, "true or false"));
                return absent;
        }
    }

    public string Word(string key, string absent)
    {
        switch (Find(key))
        {
            case null:
                return absent;
            case JsonString text:
                return text.Value;
            case var other:
                diagnostics.Add(Catalogue.ConfigWrongType(other.Span, key, "a text"));
                return absent;
        }
    }

    /// <summary>An object under a key, or null.</summary>
    public Config? Inner(string key)
    {
        switch (Find(key))
        {
            case null:
                return null;
            case JsonObject inner:
                return new Config(inner, diagnostics);
            case var other:
                diagnostics.Add(Catalogue.ConfigWrongType(other.Span, key, "an object"));
                return null;
        }
    }

    public static string Show(double value) => value.ToString("R", CultureInfo.InvariantCulture).Replace("E-0", "e-").Replace("E+", "e").Replace("E", "e");
}
