using System.Text.Json;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>Reads <c>merges</c> in either form, <c>"a b"</c> or <c>["a", "b"]</c>.</summary>
internal static class MergesReader
{
    public static List<(int Left, int Right, int Id)> Read(JsonCursor cursor, Dictionary<string, int> vocabulary)
    {
        var lookup = vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        var merges = new List<(int, int, int)>(vocabulary.Count);
        var first = new char[256];
        var second = new char[256];
        var joined = new char[512];
        while (cursor.NextItem())
        {
            ReadOnlySpan<char> left, right;
            if (cursor.Kind == JsonTokenType.StartArray)
            {
                if (!cursor.NextItem())
                    throw cursor.Fail("a merge needs two parts");
                left = cursor.Chars(ref first, "a part of a merge");
                if (!cursor.NextItem())
                    throw cursor.Fail("a merge needs two parts");
                right = cursor.Chars(ref second, "a part of a merge");
                if (cursor.NextItem())
                    throw cursor.Fail("a merge has more than two parts");
            }
            else
            {
                var both = cursor.Chars(ref first, "a merge");
                var space = both.IndexOf(' ');
                if (space < 0 || both[(space + 1)..].Contains(' '))
                    throw cursor.Fail("a merge must be two parts with one space between");
                left = both[..space];
                right = both[(space + 1)..];
            }

            if (joined.Length < left.Length + right.Length)
                joined = new char[2 * (left.Length + right.Length)];
            left.CopyTo(joined);
            right.CopyTo(joined.AsSpan(left.Length));
            merges.Add((
                Find(cursor, lookup, left, merges.Count),
                Find(cursor, lookup, right, merges.Count),
                Find(cursor, lookup, joined.AsSpan(0, left.Length + right.Length), merges.Count)));
        }

        return merges;
    }

    private static int Find(
        JsonCursor cursor, Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup, ReadOnlySpan<char> entry, int merge) =>
        lookup.TryGetValue(entry, out var id)
            ? id
            : throw cursor.Fail($"merge {merge} uses \"{entry}\", which is not in the vocabulary");
}
