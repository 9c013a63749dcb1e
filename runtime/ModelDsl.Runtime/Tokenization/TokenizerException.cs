namespace ModelDsl.Runtime.Tokenization;

/// <summary>A tokenizer, its files or its chat template cannot be used; says which file, where in it, and why.</summary>
public sealed class TokenizerException : Exception
{
    /// <summary>Names the file, the place in it and the cause.</summary>
    public TokenizerException(string file, string place, string cause, Exception? inner = null)
        : base($"{file}: {(place.Length == 0 ? "" : place + ": ")}{cause}", inner)
    {
        File = file;
        Place = place;
        Cause = cause;
    }

    /// <summary>The file, as its path was given.</summary>
    public string File { get; }

    /// <summary>Where in the file: a JSON path or a byte offset; empty when the whole file is meant.</summary>
    public string Place { get; }

    /// <summary>What is wrong and what would be right.</summary>
    public string Cause { get; }
}
