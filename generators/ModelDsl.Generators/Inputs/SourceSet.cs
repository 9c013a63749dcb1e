using System.Collections.Immutable;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Specs;
using SourceText = ModelDsl.Compiler.Syntax.SourceText;

namespace ModelDsl.Generators.Inputs;

/// <summary>All <c>.dsm</c> files of the project: where <c>use</c> looks, and the only place.</summary>
internal sealed record SourceSet(EquatableArray<DsmSource> Files) : ISourceProvider
{
    public SourceSet(ImmutableArray<DsmSource> files)
        : this(new EquatableArray<DsmSource>(files))
    {
    }

    public SourceLookup Find(string from, string path)
    {
        var wanted = Normalize(IsRooted(path) ? path : Folder(from) + path);
        foreach (var file in Files)
            if (Normalize(file.Path) == wanted)
                return SourceLookup.Found(SourceText.From(file.Path, file.Text));
        return SourceLookup.Missing($"there is no file '{path}' beside '{from}' among the project's AdditionalFiles");
    }

    private static bool IsRooted(string path) => path.Length > 0 && path[0] is '/' or '\\' || path.Length > 1 && path[1] == ':';

    private static string Folder(string path) => path.Substring(0, path.LastIndexOfAny(['/', '\\']) + 1);

    /// <summary>Without <c>.</c> and <c>..</c>, with slashes. Asks no file system, so links are names like any other.</summary>
    private static string Normalize(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/', '\\'))
            if (part == ".." && parts.Count > 0 && parts[parts.Count - 1] is not (".." or ""))
                parts.RemoveAt(parts.Count - 1);
            else if (part != "." && (part.Length > 0 || parts.Count == 0))
                parts.Add(part);
        return string.Join("/", parts);
    }
}
