using System.Text.Json;
using ModelDsl.Runtime.Tokenization.Patterns;
using ModelDsl.Runtime.Tokenization.PreTokenizers;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>Reads <c>pre_tokenizer</c>, flattening sequences.</summary>
internal static class PreTokenizerReader
{
    public static List<PreTokenizer> Read(ref JsonCursor cursor)
    {
        var steps = new List<PreTokenizer>();
        if (!cursor.IsNull)
            ReadStep(ref cursor, steps);
        return steps;
    }

    private static void ReadStep(ref JsonCursor cursor, List<PreTokenizer> steps)
    {
        cursor.Expect(JsonTokenType.StartObject, "a pre-tokenizer");
        var start = cursor;
        string? type = null;
        Pattern? pattern = null;
        SplitBehavior? behavior = null;
        bool invert = false, individual = false;
        // Files older than these two fields mean true.
        bool prefixSpace = true, useRegex = true;
        while (cursor.NextProperty(out var name))
        {
            switch (name)
            {
                case "type": type = cursor.String(name); break;
                case "pattern": pattern = PatternReader.Read(ref cursor); break;
                case "behavior": behavior = Behavior(cursor, cursor.String(name)); break;
                case "invert": invert = cursor.Bool(name); break;
                case "individual_digits": individual = cursor.Bool(name); break;
                case "add_prefix_space": prefixSpace = cursor.Bool(name); break;
                case "use_regex": useRegex = cursor.Bool(name); break;
                case "pretokenizers":
                    cursor.Expect(JsonTokenType.StartArray, name);
                    while (cursor.NextItem())
                        ReadStep(ref cursor, steps);
                    break;
                default: cursor.Skip(); break;
            }
        }

        switch (type)
        {
            case "Sequence":
                break;
            case "ByteLevel":
                steps.Add(new ByteLevelPreTokenizer(prefixSpace, useRegex));
                break;
            case "Digits":
                steps.Add(Split(individual ? @"\p{N}" : @"\p{N}+", SplitBehavior.Isolated));
                break;
            case "Punctuation":
                steps.Add(Split(@"[\p{P}!-/:-@\[-`{-~]", behavior ?? SplitBehavior.Isolated));
                break;
            case "WhitespaceSplit":
                steps.Add(Split(@"\s", SplitBehavior.Removed));
                break;
            case "Split" when pattern is not null && behavior is not null:
                steps.Add(new SplitPreTokenizer(pattern, behavior.Value, invert));
                break;
            case "Split":
                throw start.Fail("a pre-tokenizer of type Split needs a pattern and a behavior");
            default:
                throw start.Fail($"a pre-tokenizer of type \"{type}\" is not supported");
        }
    }

    private static SplitPreTokenizer Split(string expression, SplitBehavior behavior) =>
        new(Pattern.Parse(expression), behavior, invert: false);

    private static SplitBehavior Behavior(JsonCursor cursor, string name) => name switch
    {
        "Removed" => SplitBehavior.Removed,
        "Isolated" => SplitBehavior.Isolated,
        "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" => SplitBehavior.MergedWithNext,
        "Contiguous" => SplitBehavior.Contiguous,
        _ => throw cursor.Fail($"a split behavior \"{name}\" does not exist"),
    };
}
