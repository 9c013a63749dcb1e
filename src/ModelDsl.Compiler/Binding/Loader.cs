using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>Parses a file and, depth first, the files it uses; each once.</summary>
internal sealed class Loader(ISourceProvider sources, DiagnosticBag diagnostics)
{
    private const int MaximumFiles = 256;

    private readonly List<string> _open = new();
    private readonly Dictionary<string, FileSyntax> _files = new(StringComparer.Ordinal);

    /// <summary>In the order in which they were first met, the root first.</summary>
    public List<SourceText> Sources { get; } = new();

    /// <summary>Declarations of all files; those of a used file before those of its user.</summary>
    public List<DeclarationSyntax> Declarations { get; } = new();

    public void Load(SourceText source)
    {
        Sources.Add(source);
        var parsed = DsmSyntax.Parse(source);
        diagnostics.AddRange(parsed.Diagnostics);
        _files[source.Path] = parsed.Tree;
        _open.Add(source.Path);
        foreach (var use in parsed.Tree.Declarations.OfType<UseSyntax>()) Use(source.Path, use);
        _open.RemoveAt(_open.Count - 1);
        Declarations.AddRange(parsed.Tree.Declarations.Where(d => d is not UseSyntax));
    }

    private void Use(string from, UseSyntax use)
    {
        var found = sources.Find(from, use.Path.Value);
        if (found.Text is not { } text)
        {
            diagnostics.Add(Catalogue.ImportNotFound(use.Path.Span, use.Path.Value, found.Problem ?? "there is no such file"));
            return;
        }

        if (_open.Contains(text.Path))
            diagnostics.Add(Catalogue.CyclicImport(
                use.Path.Span, string.Join(" → ", _open.SkipWhile(p => p != text.Path).Append(text.Path))));
        else if (_files.ContainsKey(text.Path))
            return;
        else if (_files.Count >= MaximumFiles)
            diagnostics.Add(Catalogue.ImportNotFound(use.Path.Span, use.Path.Value, $"more than {MaximumFiles} files are in use"));
        else
            Load(text);
    }
}
