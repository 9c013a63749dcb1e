namespace ModelDsl.Runtime.Chat;

/// <summary>A chat template cannot be read, fails on the messages given, or refuses them itself.</summary>
public sealed class ChatTemplateException : Exception
{
    /// <summary>Names the template, the line in it and the cause.</summary>
    public ChatTemplateException(string template, int line, string cause, Exception? inner = null)
        : base($"{template}, line {line}: {cause}", inner)
    {
        Template = template;
        Line = line;
        Cause = cause;
    }

    /// <summary>What the template was called when it was parsed.</summary>
    public string Template { get; }

    /// <summary>The line in the template, from 1.</summary>
    public int Line { get; }

    /// <summary>What is wrong; the template's own words when it calls <c>raise_exception</c>.</summary>
    public string Cause { get; }
}
