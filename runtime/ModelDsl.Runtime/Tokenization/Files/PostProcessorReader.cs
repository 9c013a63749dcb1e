using System.Text.Json;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>Reads <c>post_processor</c>: the ids that a template puts before and after a single text.</summary>
internal static class PostProcessorReader
{
    /// <summary>Null lists when the file has no opinion (no template in it).</summary>
    public static (IReadOnlyList<int>? Prefix, IReadOnlyList<int>? Suffix) Read(ref JsonCursor cursor)
    {
        if (cursor.IsNull)
            return default;
        cursor.Expect(JsonTokenType.StartObject, "a post-processor");
        var start = cursor;
        string? type = null;
        var single = new List<string?>();
        var ids = new Dictionary<string, List<int>>();
        (IReadOnlyList<int>? Prefix, IReadOnlyList<int>? Suffix) inner = default;
        while (cursor.NextProperty(out var name))
        {
            switch (name)
            {
                case "type":
                    type = cursor.String(name);
                    break;
                case "single" when cursor.Kind == JsonTokenType.StartArray:
                    while (cursor.NextItem())
                        single.Add(ReadPart(ref cursor));
                    break;
                case "special_tokens" when cursor.Kind == JsonTokenType.StartObject:
                    while (cursor.NextProperty(out var token))
                        ids[token] = ReadIds(ref cursor);
                    break;
                case "processors":
                    cursor.Expect(JsonTokenType.StartArray, name);
                    while (cursor.NextItem())
                        inner = Read(ref cursor) is { Prefix: not null } found ? found : inner;
                    break;
                default:
                    cursor.Skip();
                    break;
            }
        }

        return type switch
        {
            "ByteLevel" => default,
            "Sequence" => inner,
            "TemplateProcessing" => Around(start, single, ids),
            _ => throw start.Fail($"a post-processor of type \"{type}\" is not supported"),
        };
    }

    private static (IReadOnlyList<int>, IReadOnlyList<int>) Around(JsonCursor start, List<string?> single, Dictionary<string, List<int>> ids)
    {
        var text = single.IndexOf(null);
        if (text < 0 || single.LastIndexOf(null) != text)
            throw start.Fail("the template for a single text must hold the text exactly once");
        if (single.Find(n => n is not null && !ids.ContainsKey(n)) is { } stranger)
            throw start.Fail($"the template's token \"{stranger}\" is not among its special_tokens");
        return ([.. single[..text].SelectMany(n => ids[n!])], [.. single[(text + 1)..].SelectMany(n => ids[n!])]);
    }

    /// <summary>The special token a part stands for; null for the text itself.</summary>
    private static string? ReadPart(ref JsonCursor cursor)
    {
        cursor.Expect(JsonTokenType.StartObject, "a part of a template");
        string? token = null;
        while (cursor.NextProperty(out var kind))
        {
            cursor.Expect(JsonTokenType.StartObject, kind);
            while (cursor.NextProperty(out var name))
            {
                if (kind == "SpecialToken" && name == "id")
                    token = cursor.String(name);
                else
                    cursor.Skip();
            }
        }

        return token;
    }

    private static List<int> ReadIds(ref JsonCursor cursor)
    {
        cursor.Expect(JsonTokenType.StartObject, "a special token");
        var ids = new List<int>();
        while (cursor.NextProperty(out var name))
        {
            if (name != "ids" || cursor.Kind != JsonTokenType.StartArray)
            {
                cursor.Skip();
                continue;
            }

            while (cursor.NextItem())
                ids.Add(cursor.Id("ids"));
        }

        return ids;
    }
}
