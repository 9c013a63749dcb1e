using System.Text;
using System.Text.Json;
using ModelDsl.Runtime.Tokenization.Normalizers;
using ModelDsl.Runtime.Tokenization.Patterns;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>Reads <c>normalizer</c>.</summary>
internal static class NormalizerReader
{
    public static List<Normalizer> Read(ref JsonCursor cursor)
    {
        var steps = new List<Normalizer>();
        if (!cursor.IsNull)
            ReadStep(ref cursor, steps);
        return steps;
    }

    private static void ReadStep(ref JsonCursor cursor, List<Normalizer> steps)
    {
        cursor.Expect(JsonTokenType.StartObject, "a normalizer");
        var start = cursor;
        string? type = null;
        Pattern? pattern = null;
        string content = "", prefix = "";
        bool left = true, right = true;
        while (cursor.NextProperty(out var name))
        {
            switch (name)
            {
                case "type": type = cursor.String(name); break;
                case "pattern": pattern = PatternReader.Read(ref cursor); break;
                case "content": content = cursor.String(name); break;
                case "prepend": prefix = cursor.String(name); break;
                case "strip_left": left = cursor.Bool(name); break;
                case "strip_right": right = cursor.Bool(name); break;
                case "normalizers":
                    cursor.Expect(JsonTokenType.StartArray, name);
                    while (cursor.NextItem())
                        ReadStep(ref cursor, steps);
                    break;
                default: cursor.Skip(); break;
            }
        }

        switch (type)
        {
            case "Sequence": break;
            case "NFC": steps.Add(new Normalizer.UnicodeForm(NormalizationForm.FormC)); break;
            case "NFD": steps.Add(new Normalizer.UnicodeForm(NormalizationForm.FormD)); break;
            case "NFKC": steps.Add(new Normalizer.UnicodeForm(NormalizationForm.FormKC)); break;
            case "NFKD": steps.Add(new Normalizer.UnicodeForm(NormalizationForm.FormKD)); break;
            case "Lowercase": steps.Add(new Normalizer.Lowercase()); break;
            case "Prepend": steps.Add(new Normalizer.Prepend(prefix)); break;
            case "Strip": steps.Add(new Normalizer.Strip(left, right)); break;
            case "Replace" when pattern is not null: steps.Add(new Normalizer.Replace(pattern, content)); break;
            default: throw start.Fail($"a normalizer of type \"{type}\" is not supported");
        }
    }
}
