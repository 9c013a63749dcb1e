using System.Text.Json;

namespace ModelDsl.Runtime.Tokenization.Files;

/// <summary>Reads <c>tokenizer_config.json</c>.</summary>
internal static class TokenizerConfigReader
{
    /// <exception cref="TokenizerException">The file is malformed.</exception>
    public static TokenizerConfig Read(string path, ReadOnlySpan<byte> json)
    {
        var cursor = new JsonCursor(path, json);
        cursor.Advance();
        cursor.Expect(JsonTokenType.StartObject, "the file");
        var config = new TokenizerConfig();
        while (cursor.NextProperty(out var name))
        {
            switch (name)
            {
                case "bos_token": config = config with { BosToken = ReadToken(ref cursor, name) }; break;
                case "eos_token": config = config with { EosToken = ReadToken(ref cursor, name) }; break;
                case "pad_token": config = config with { PadToken = ReadToken(ref cursor, name) }; break;
                case "unk_token": config = config with { UnkToken = ReadToken(ref cursor, name) }; break;
                case "add_bos_token": config = config with { AddBosToken = cursor.IsNull ? null : cursor.Bool(name) }; break;
                case "add_eos_token": config = config with { AddEosToken = cursor.IsNull ? null : cursor.Bool(name) }; break;
                case "chat_template": config = config with { ChatTemplates = ReadTemplates(ref cursor) }; break;
                default: cursor.Skip(); break;
            }
        }

        return config;
    }

    /// <summary>A string, or an object whose <c>content</c> is that string.</summary>
    private static string? ReadToken(ref JsonCursor cursor, string what)
    {
        if (cursor.Kind != JsonTokenType.StartObject)
            return cursor.StringOrNull(what);
        string? content = null;
        while (cursor.NextProperty(out var name))
        {
            if (name == "content")
                content = cursor.String(name);
            else
                cursor.Skip();
        }

        return content;
    }

    /// <summary>A string, or a list of <c>{"name": …, "template": …}</c>.</summary>
    private static Dictionary<string, string> ReadTemplates(ref JsonCursor cursor)
    {
        var templates = new Dictionary<string, string>();
        if (cursor.IsNull)
            return templates;
        if (cursor.Kind != JsonTokenType.StartArray)
        {
            templates["default"] = cursor.String("chat_template");
            return templates;
        }

        while (cursor.NextItem())
        {
            cursor.Expect(JsonTokenType.StartObject, "a named chat template");
            string? name = null, template = null;
            while (cursor.NextProperty(out var property))
            {
                switch (property)
                {
                    case "name": name = cursor.String(property); break;
                    case "template": template = cursor.String(property); break;
                    default: cursor.Skip(); break;
                }
            }

            if (name is null || template is null)
                throw cursor.Fail("a named chat template needs a name and a template");
            templates[name] = template;
        }

        return templates;
    }
}
