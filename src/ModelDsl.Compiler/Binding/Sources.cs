using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>How the front end gets at the files that <c>use</c> names; it opens none itself.</summary>
public interface ISourceProvider
{
    /// <summary>Finds what <paramref name="path"/> means in the file <paramref name="from"/>.</summary>
    /// <returns>The text under a path that is the same however the file was reached, or the reason why there is none.</returns>
    SourceLookup Find(string from, string path);
}

/// <summary>A text, or why there is none; exactly one of the two.</summary>
public readonly record struct SourceLookup(SourceText? Text, string? Problem)
{
    public static SourceLookup Found(SourceText text) => new(text, null);

    public static SourceLookup Missing(string reason) => new(null, reason);
}

/// <summary>For callers without files: nothing can be used.</summary>
public sealed class NoSources : ISourceProvider
{
    public static NoSources Instance { get; } = new();

    public SourceLookup Find(string from, string path) => SourceLookup.Missing("there are no other files here");
}
