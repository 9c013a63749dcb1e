using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ModelDsl.Fuzz.Inputs;

/// <summary>Spoils JSON value by value: numbers turn extreme, types change, keys go or come twice, nests get deep.</summary>
internal sealed class JsonDamage(IReadOnlyList<string> dictionary)
{
    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1", "2", "3", "1.5", "-0.0", "1e308", "1e-320", "4611686018427387904", "9223372036854775807", "18446744073709551616",
        "2147483647", "2147483648", "1000000000", "[]", "{}", "[1]", "[[]]", "\"\"", "\"x\"", "\"\\u0000\"", "\"\\ud800\"", "\"../../x\"", "[128, 128]", "[0, 0]", "[null]",
    ];

    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1024, AllowTrailingCommas = true };
    private readonly TextDamage _text = new([.. dictionary.Select(word => $"\"{word}\""), "{", "}", "[", "]", ",", ":", "null", "true", "\"", "\\", "\\u"]);

    public byte[] Spoil(byte[] input, byte[] other, Random random)
    {
        if (random.Next(5) == 0) return _text.Spoil(input, other, random);
        try
        {
            if (JsonNode.Parse(input, documentOptions: Deep) is not { } root) return _text.Spoil(input, other, random);
            for (var edits = random.Next(1, 5); edits > 0; edits--) root = Edit(root, random);
            var text = root.ToJsonString(new JsonSerializerOptions { MaxDepth = 1024 });
            return Encoding.UTF8.GetBytes(random.Next(12) == 0 ? Twice(text, random) : text);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return _text.Spoil(input, other, random);
        }
    }

    private JsonNode Edit(JsonNode root, Random random)
    {
        // A random walk from the root, so that what lies high in the file is met as often as the many entries deep inside.
        JsonNode node = root;
        while (random.Next(5) != 0 && Children(node) is { Length: > 0 } children && children[random.Next(children.Length)] is { } child) node = child;
        switch (node.Parent)
        {
            case JsonObject parent:
                var key = node.GetPropertyName();
                switch (random.Next(6))
                {
                    case 0: parent.Remove(key); break;
                    case 1: parent[Key(random)] = Value(random); break;
                    case 2:
                        parent.Remove(key);
                        parent[Key(random)] = node;
                        break;
                    case 3: parent[key] = Nest(node.DeepClone(), random); break;
                    default: parent[key] = Value(random); break;
                }
                break;
            case JsonArray parent:
                var index = parent.IndexOf(node);
                switch (random.Next(4))
                {
                    case 0: parent.RemoveAt(index); break;
                    case 1: parent.Insert(index, node.DeepClone()); break;
                    case 2: parent.Insert(index, Value(random)); break;
                    default: parent[index] = Value(random); break;
                }
                break;
            default:
                return random.Next(10) == 0 ? Value(random) ?? root : root;
        }

        return root;
    }

    private static JsonNode?[] Children(JsonNode node) => node switch
    {
        JsonObject map => [.. map.Select(entry => entry.Value)],
        JsonArray list => [.. list],
        _ => [],
    };

    private static JsonNode Nest(JsonNode node, Random random)
    {
        for (var depth = random.Next(random.Next(6) == 0 ? 200 : 4); depth >= 0; depth--) node = random.Next(2) == 0 ? new JsonArray(node) : new JsonObject { ["x"] = node };
        return node;
    }

    private string Key(Random random) => dictionary[random.Next(dictionary.Count)];

    private JsonNode? Value(Random random) => random.Next(4) == 0
        ? JsonValue.Create(dictionary[random.Next(dictionary.Count)])
        : JsonNode.Parse(Values[random.Next(Values.Length)]);

    /// <summary>An entry of an object a second time, which a tree cannot say.</summary>
    private static string Twice(string text, Random random)
    {
        var start = text.IndexOf('"', random.Next(text.Length));
        if (start < 0) return text;
        var end = text.IndexOf(',', start);
        return end < 0 ? text : text.Insert(end, "," + text[start..end]);
    }
}
