using System.Text.Json;
using ModelDsl.Runtime.Chat.Jinja;
using ModelDsl.Runtime.Tokenization;

namespace ModelDsl.Runtime.Chat;

/// <summary>
/// A chat template of a checkpoint: turns a conversation into the text the model was trained on. The language is the part of
/// Jinja2 that such templates use, with Hugging Face's settings; templates can read, never change, what they are given.
/// </summary>
public sealed class ChatTemplate
{
    private readonly string _name;
    private readonly IReadOnlyList<Statement> _body;
    private readonly IReadOnlyDictionary<string, string?> _constants;

    private ChatTemplate(string name, IReadOnlyList<Statement> body, IReadOnlyDictionary<string, string?> constants)
    {
        _name = name;
        _body = body;
        _constants = constants;
    }

    /// <summary>Parses a template.</summary>
    /// <param name="source">Jinja2 text.</param>
    /// <param name="constants">Variables every rendering has, such as <c>bos_token</c>.</param>
    /// <param name="name">What error messages call the template.</param>
    /// <exception cref="ChatTemplateException">The template is malformed or uses something not supported.</exception>
    public static ChatTemplate Parse(string source, IReadOnlyDictionary<string, string?>? constants = null, string name = "chat template")
    {
        try
        {
            return new ChatTemplate(name, TemplateParser.Parse(source), constants ?? new Dictionary<string, string?>());
        }
        catch (JinjaError e)
        {
            throw new ChatTemplateException(name, e.Line ?? 1, e.Message, e);
        }
    }

    /// <summary>The template that comes with a tokenizer, knowing its control tokens; null when it has none of that name.</summary>
    /// <exception cref="ChatTemplateException">The template is malformed or uses something not supported.</exception>
    public static ChatTemplate? For(Tokenizer tokenizer, string name = "default") =>
        tokenizer.Config.ChatTemplates.TryGetValue(name, out var source)
            ? Parse(source, ConstantsOf(tokenizer), $"chat template \"{name}\"")
            : null;

    /// <summary>The control tokens of a tokenizer under the names templates use.</summary>
    public static IReadOnlyDictionary<string, string?> ConstantsOf(Tokenizer tokenizer) =>
        new Dictionary<string, string?>
        {
            ["bos_token"] = tokenizer.Config.BosToken,
            ["eos_token"] = tokenizer.Config.EosToken,
            ["pad_token"] = tokenizer.Config.PadToken,
            ["unk_token"] = tokenizer.Config.UnkToken,
        };

    /// <summary>The text of a conversation, to be encoded without adding BOS again.</summary>
    /// <exception cref="ChatTemplateException">The template fails on these messages or refuses them.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, ChatVariables? variables = null) =>
        Render(new JinjaValue.List([.. messages.Select(MessageValues.From)]), addGenerationPrompt, variables);

    /// <summary>The text of a conversation given as JSON: a list of objects with "role" and "content", as chat services take it.</summary>
    /// <exception cref="ChatTemplateException">The template fails on these messages or refuses them, or they are no list.</exception>
    public string Render(JsonElement messages, bool addGenerationPrompt = true, ChatVariables? variables = null)
    {
        if (messages.ValueKind != JsonValueKind.Array || messages.EnumerateArray().Any(m => m.ValueKind != JsonValueKind.Object))
            throw new ChatTemplateException(_name, 1, "the messages must be a JSON array of objects");
        return Render(Read(messages), addGenerationPrompt, variables);
    }

    private string Render(JinjaValue messages, bool addGenerationPrompt, ChatVariables? variables)
    {
        var scope = new Scope(null);
        Functions.Define(scope, variables?.Now ?? (() => DateTime.Now));
        foreach (var (name, text) in _constants)
            if (text is not null)
                scope.Set(name, new JinjaValue.Text(text));
        scope.Set("messages", messages);
        scope.Set("add_generation_prompt", JinjaValue.Bool.Of(addGenerationPrompt));
        scope.Set("tools", variables?.Tools is { } tools ? Read(tools) : JinjaValue.None.Instance);
        scope.Set("documents", JinjaValue.None.Instance);
        foreach (var (name, value) in variables?.Others ?? new Dictionary<string, JsonElement>())
            scope.Set(name, Read(value));
        try
        {
            return Interpreter.Render(_body, scope);
        }
        catch (JinjaError e)
        {
            throw new ChatTemplateException(_name, e.Line ?? 1, e.Message, e);
        }
    }

    private JinjaValue Read(JsonElement json)
    {
        try
        {
            return JsonText.Read(json);
        }
        catch (Exception e) when (e is InvalidOperationException or InsufficientExecutionStackException)
        {
            throw new ChatTemplateException(_name, 1, "the messages hold text that is not valid Unicode, or are nested too deeply", e);
        }
    }
}
