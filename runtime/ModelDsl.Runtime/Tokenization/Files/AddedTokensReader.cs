using System.Text.Json;
using ModelDsl.Runtime.Tokenization.AddedTokens;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>Reads <c>added_tokens</c>.</summary>
internal static class AddedTokensReader
{
    public static IReadOnlyList<AddedToken> Read(ref JsonCursor cursor)
    {
        if (cursor.IsNull)
            return [];
        cursor.Expect(JsonTokenType.StartArray, "added_tokens");
        var tokens = new List<AddedToken>();
        var ids = new HashSet<int>();
        while (cursor.NextItem())
        {
            var token = ReadOne(ref cursor);
            if (!ids.Add(token.Id))
                throw cursor.Fail($"two added tokens have the id {token.Id}");
            tokens.Add(token);
        }

        return tokens;
    }

    private static AddedToken ReadOne(ref JsonCursor cursor)
    {
        cursor.Expect(JsonTokenType.StartObject, "an added token");
        int? id = null;
        string? content = null;
        bool special = false, word = false, left = false, right = false;
        bool? normalized = null;
        while (cursor.NextProperty(out var name))
        {
            switch (name)
            {
                case "id": id = cursor.Id("id"); break;
                case "content": content = cursor.String("content"); break;
                case "special": special = cursor.Bool("special"); break;
                case "single_word": word = cursor.Bool("single_word"); break;
                case "lstrip": left = cursor.Bool("lstrip"); break;
                case "rstrip": right = cursor.Bool("rstrip"); break;
                case "normalized": normalized = cursor.Bool("normalized"); break;
                default: cursor.Skip(); break;
            }
        }

        if (id is null || string.IsNullOrEmpty(content))
            throw cursor.Fail("an added token needs an id and a content that is not empty");
        return new AddedToken(id.Value, content, special, word, left, right, normalized ?? !special);
    }
}
