using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Runtime.Files;

namespace ModelDsl.Cli.Input;

/// <summary>Source texts from disk, <c>use</c> relative to the file that says it.</summary>
/// <param name="root">The file it begins with, under the path it was asked for.</param>
public sealed class DiskSources(string root) : ISourceProvider
{
    public SourceLookup Find(string from, string path)
    {
        var full = Path.GetFullPath(path, Path.GetDirectoryName(Path.GetFullPath(from)) ?? ".");
        var name = full == Path.GetFullPath(root) ? root : Path.GetRelativePath(".", full);
        return Read(name) is { } text
            ? SourceLookup.Found(text)
            : SourceLookup.Missing($"there is no file '{path}' beside '{from}'");
    }

    /// <summary>Reads a file; null if it cannot be read. A huge file is refused by its length, unread.</summary>
    public static SourceText? Read(string path)
    {
        try
        {
            return SourceText.FromBytes(path, WholeFile.Read(path, SourceText.MaximumBytes));
        }
        catch (FileTooLargeException huge)
        {
            return SourceText.TooLarge(path, huge.Bytes);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return null;
        }
    }
}
