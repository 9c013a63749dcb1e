using System.Text.Json;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>Reads <c>model</c>: a byte pair encoding and nothing else.</summary>
internal static class ModelReader
{
    public static ModelSection Read(ref JsonCursor cursor)
    {
        cursor.Expect(JsonTokenType.StartObject, "model");
        var start = cursor;
        var merges = default(JsonCursor);
        var hasMerges = false;
        Dictionary<string, int>? vocabulary = null;
        string? type = null, unknown = null;
        var ignoreMerges = false;
        while (cursor.NextProperty(out var name))
        {
            switch (name)
            {
                case "type":
                    type = cursor.StringOrNull(name);
                    break;
                case "unk_token":
                    unknown = cursor.StringOrNull(name);
                    break;
                case "ignore_merges":
                    ignoreMerges = cursor.Bool(name);
                    break;
                case "continuing_subword_prefix" or "end_of_word_suffix":
                    if (!string.IsNullOrEmpty(cursor.StringOrNull(name)))
                        throw cursor.Fail($"{name} is not supported: byte-level tokenizers have none");
                    break;
                case "vocab":
                    vocabulary = ReadVocabulary(ref cursor);
                    break;
                case "merges":
                    // Merges are looked up in the vocabulary, which may come later in the file.
                    cursor.Expect(JsonTokenType.StartArray, name);
                    merges = cursor;
                    hasMerges = true;
                    cursor.Skip();
                    break;
                default:
                    cursor.Skip();
                    break;
            }
        }

        if (type is not (null or "BPE"))
            throw start.Fail($"a model of type \"{type}\" is not supported, only BPE");
        if (vocabulary is null || !hasMerges)
            throw start.Fail("the model needs a vocab and merges");
        return new ModelSection(
            vocabulary,
            MergesReader.Read(merges, vocabulary),
            unknown is not null && vocabulary.TryGetValue(unknown, out var id) ? id : null,
            ignoreMerges);
    }

    private static Dictionary<string, int> ReadVocabulary(ref JsonCursor cursor)
    {
        cursor.Expect(JsonTokenType.StartObject, "vocab");
        var vocabulary = new Dictionary<string, int>(1 << 14);
        var ids = new HashSet<int>();
        while (cursor.NextProperty(out var entry))
        {
            var id = cursor.Id("the id of a vocabulary entry");
            if (entry.Length > Limits.LongestEntry)
                throw cursor.Fail($"a vocabulary entry is longer than {Limits.LongestEntry} characters");
            if (!vocabulary.TryAdd(entry, id))
                throw cursor.Fail($"the vocabulary holds \"{entry}\" twice");
            if (!ids.Add(id))
                throw cursor.Fail($"two vocabulary entries have the id {id}");
        }

        return vocabulary;
    }
}
