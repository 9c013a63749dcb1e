using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Cli.Input;

/// <summary>Source texts from disk, <c>use</c> relative to the file that says it.</summary>
public sealed class DiskSources : ISourceProvider
{
    public SourceLookup Find(string from, string path)
    {
        var full = Path.GetFullPath(path, Path.GetDirectoryName(Path.GetFullPath(from)) ?? ".");
        return Read(Path.GetRelativePath(".", full)) is { } text
            ? SourceLookup.Found(text)
            : SourceLookup.Missing($"there is no file '{path}' beside '{from}'");
    }

    /// <summary>Reads a file; null if it cannot be read. A huge file is refused by its length, unread.</summary>
    public static SourceText? Read(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            return length > SourceText.MaximumBytes ? SourceText.TooLarge(path, length) : SourceText.FromBytes(path, File.ReadAllBytes(path));
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null;
        }
    }
}
