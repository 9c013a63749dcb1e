namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>Something in a template is wrong; whoever knows the line turns it into a <see cref="ChatTemplateException"/>.</summary>
internal sealed class JinjaError(string message, int? line = null) : Exception(message)
{
    public int? Line { get; } = line;
}
