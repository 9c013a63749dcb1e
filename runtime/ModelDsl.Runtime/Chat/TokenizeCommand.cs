using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelDsl.Runtime.Tokenization;
using ModelDsl.Runtime.Tokenization.AddedTokens;

namespace ModelDsl.Runtime.Chat;

/// <summary>Text to ids, ids to text and conversations to text, between two streams: what <c>dsmc tokenize</c> does.</summary>
public static class TokenizeCommand
{
    private static readonly TokenizeJson Json = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>
    /// Answers all of <paramref name="input"/>. Whole input: text in, ids separated by spaces out; ids separated by anything in, exactly
    /// their text out; a JSON list of messages in, exactly the template's text out. Per line: JSON strings, arrays and message lists.
    /// </summary>
    /// <exception cref="TokenizerException">The tokenizer cannot be used.</exception>
    /// <exception cref="ChatTemplateException">The chat template cannot be used on these messages.</exception>
    /// <exception cref="TokenizeInputException">The input is malformed; lines before the bad one are answered.</exception>
    public static void Run(TokenizeRequest request, TextReader input, TextWriter output)
    {
        var tokenizer = Tokenizer.Load(request.Folder);
        var template = request.Direction == TokenizeDirection.Chat ? TemplateOf(tokenizer, request.Folder) : null;
        if (!request.PerLine)
        {
            var all = input.ReadToEnd();
            output.Write(request.Direction switch
            {
                TokenizeDirection.Encode => string.Join(' ', Encode(tokenizer, all, request)) + "\n",
                TokenizeDirection.Decode => tokenizer.Decode(LooseIds(all), request.SkipSpecial),
                _ => Chat(template!, all, line: null),
            });
            return;
        }

        var number = 0;
        while (input.ReadLine() is { } line)
        {
            number++;
            var answer = request.Direction switch
            {
                TokenizeDirection.Encode => JsonSerializer.Serialize(
                    Encode(tokenizer, Parse(line, number, "a JSON string", Json.String), request), Json.Int32Array),
                TokenizeDirection.Decode => JsonSerializer.Serialize(
                    tokenizer.Decode(Parse(line, number, "a JSON array of whole numbers", Json.Int32Array), request.SkipSpecial), Json.String),
                _ => JsonSerializer.Serialize(Chat(template!, line, number), Json.String),
            };
            output.Write(answer + "\n");
        }
    }

    private static ChatTemplate TemplateOf(Tokenizer tokenizer, string folder) =>
        ChatTemplate.For(tokenizer) ?? throw new TokenizerException(
            Path.Combine(folder, "tokenizer_config.json"), "chat_template", "this checkpoint has no chat template named \"default\"");

    private static int[] Encode(Tokenizer tokenizer, string text, TokenizeRequest request) =>
        tokenizer.Encode(text, request.AddSpecialTokens, request.Plain ? AddedTokenMatching.None : AddedTokenMatching.All);

    private static T Parse<T>(string json, int? line, string what, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new TokenizeInputException(line, $"null is not {what}");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new TokenizeInputException(line, $"not {what}", e);
        }
    }

    /// <summary>A list of messages, or an object with "messages" and variables for the template.</summary>
    private static string Chat(ChatTemplate template, string json, int? line)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            throw new TokenizeInputException(line, "not a JSON list of messages", e);
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return template.Render(root, AwaitsAnswer(root));
            var parts = new Dictionary<string, JsonElement>();
            foreach (var property in root.EnumerateObject())
                parts[property.Name] = property.Value;
            if (!parts.Remove("messages", out var messages))
                throw new TokenizeInputException(line, "the object holds no \"messages\"");
            var prompt = parts.Remove("add_generation_prompt", out var wanted) ? wanted.ValueKind == JsonValueKind.True : AwaitsAnswer(messages);
            return template.Render(messages, prompt, new ChatVariables
            {
                Tools = parts.Remove("tools", out var tools) ? tools : null,
                Others = parts,
            });
        }
    }

    /// <summary>A conversation the assistant has the last word in is a sample to train on and wants no prompt for another answer.</summary>
    private static bool AwaitsAnswer(JsonElement messages) =>
        messages.ValueKind != JsonValueKind.Array
        || messages.GetArrayLength() == 0
        || messages[messages.GetArrayLength() - 1] is not { ValueKind: JsonValueKind.Object } last
        || !last.TryGetProperty("role", out var role)
        || role.ValueKind != JsonValueKind.String
        || !role.ValueEquals("assistant");

    /// <summary>Every run of digits is an id; spaces, commas and brackets separate, anything else is a mistake.</summary>
    private static int[] LooseIds(string text)
    {
        var ids = new List<int>();
        for (var at = 0; at < text.Length;)
        {
            if (char.IsWhiteSpace(text[at]) || text[at] is ',' or '[' or ']')
            {
                at++;
                continue;
            }

            var start = at;
            while (at < text.Length && char.IsAsciiDigit(text[at]))
                at++;
            if (!int.TryParse(text.AsSpan(start, at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                throw new TokenizeInputException(null, $"'{text[start]}' at character {start + 1} begins no id");
            ids.Add(id);
        }

        return [.. ids];
    }
}
