using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;
using SourceText = ModelDsl.Compiler.Syntax.SourceText;

namespace ModelDsl.Generators;

/// <summary>A message of the front end with its places in lines and columns; holds nothing of the C# compiler's.</summary>
/// <param name="Text">The message as <c>dsmc check</c> words it, the hint behind it in brackets.</param>
/// <param name="Others">Places that explain it.</param>
internal sealed record LocatedDiagnostic(string Id, Severity Severity, string Text, Place Place, EquatableArray<Place> Others)
{
    /// <summary>The project file asks for what there is not.</summary>
    public const string BadOption = "DSMG01";

    /// <summary>A mistake in this generator.</summary>
    public const string Internal = "DSMG02";

    private const string Category = "ModelDsl";

    /// <param name="root">The file that was compiled; it stands in for places in its overrides.</param>
    /// <param name="source">Finds the text of a path.</param>
    public static LocatedDiagnostic Of(Compiler.Diagnostics.Diagnostic found, string root, Func<string, SourceText?> source)
    {
        var text = found.Message + (found.Hint is null ? "" : $" ({found.Hint})");
        var known = source(found.Span.Path) is not null && !IsOverride(found.Span.Path);
        return new LocatedDiagnostic(
            found.Id,
            found.Severity,
            known || found.Span.Path.Length == 0 ? text : $"{found.Span.Path}: {text}",
            known ? Place.Of(found.Span, source) : Place.StartOf(root),
            found.Notes.Where(note => source(note.Span.Path) is not null && !IsOverride(note.Span.Path))
                .Select(note => Place.Of(note.Span, source)).ToEquatable());
    }

    public static LocatedDiagnostic Error(string id, string text, string path) => new(id, Severity.Error, text, Place.StartOf(path), []);

    public static LocatedDiagnostic Bug(Exception exception, string path) => Error(
        Internal,
        $"the generator failed, which is its own mistake and not yours: {exception.GetType().Name}: {exception.Message.Replace("\n", " ")}",
        path);

    public Microsoft.CodeAnalysis.Diagnostic ToRoslyn()
    {
        var severity = Severity switch
        {
            Severity.Error => DiagnosticSeverity.Error,
            Severity.Warning => DiagnosticSeverity.Warning,
            _ => DiagnosticSeverity.Info,
        };
        return Microsoft.CodeAnalysis.Diagnostic.Create(
            Id, Category, Text, severity, severity, isEnabledByDefault: true, warningLevel: severity == DiagnosticSeverity.Error ? 0 : 1,
            location: Place.ToRoslyn(), additionalLocations: Others.Select(place => place.ToRoslyn()));
    }

    // The front end calls an override's text by what it would be on the command line.
    private static bool IsOverride(string path) => path.StartsWith("--set ", StringComparison.Ordinal);
}

/// <summary>A stretch of a file; lines and columns counted from 0.</summary>
internal sealed record Place(string Path, int Start, int Length, int Line, int Column, int EndLine, int EndColumn)
{
    public static Place StartOf(string path) => new(path, 0, 0, 0, 0, 0, 0);

    public static Place Of(SourceSpan span, Func<string, SourceText?> source)
    {
        if (source(span.Path) is not { } text) return StartOf(span.Path);
        var (line, column) = text.Locate(span.Start);
        var (endLine, endColumn) = text.Locate(span.End);
        return new Place(span.Path, span.Start, span.Length, line - 1, column - 1, endLine - 1, endColumn - 1);
    }

    public Location ToRoslyn() => Location.Create(
        Path, new TextSpan(Start, Length), new LinePositionSpan(new LinePosition(Line, Column), new LinePosition(EndLine, EndColumn)));
}
