namespace ModelDsl.Runtime.Chat;

/// <summary>The input of <see cref="TokenizeCommand"/> is not what its direction takes.</summary>
public sealed class TokenizeInputException(int? line, string cause, Exception? inner = null)
    : Exception(line is null ? $"standard input: {cause}" : $"standard input, line {line}: {cause}", inner)
{
    /// <summary>The line, from 1, when every line is a value of its own.</summary>
    public int? Line { get; } = line;

    /// <summary>What is wrong with it.</summary>
    public string Cause { get; } = cause;
}
