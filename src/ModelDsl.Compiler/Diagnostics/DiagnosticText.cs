using System.Text;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Diagnostics;

/// <summary>
/// Messages for people: place, code and message on a line that build tools understand, then the source line with a caret
/// under the span, then the hint.
/// </summary>
public static class DiagnosticText
{
    private const int LongestLine = 140;
    private const int Gutter = 5;

    /// <param name="source">Finds the text of a path; null: the message goes without its source line.</param>
    public static string Render(IEnumerable<Diagnostic> diagnostics, Func<string, SourceText?> source)
    {
        var text = new StringBuilder();
        foreach (var diagnostic in diagnostics)
        {
            if (text.Length > 0) text.Append('\n');
            Place(text, diagnostic.Span, source, $"{Word(diagnostic.Severity)} {diagnostic.Id}: {diagnostic.Message}");
            if (diagnostic.Hint is { } hint) text.Append(' ', Gutter).Append(" = ").Append(hint).Append('\n');
            foreach (var note in diagnostic.Notes) Place(text, note.Span, source, $"note: {note.Message}");
        }
        return text.ToString();
    }

    public static string Word(Severity severity) => severity switch
    {
        Severity.Error => "error",
        Severity.Warning => "warning",
        _ => "info",
    };

    private static void Place(StringBuilder text, SourceSpan span, Func<string, SourceText?> source, string message)
    {
        var found = span.Path.Length == 0 ? null : source(span.Path);
        if (found is null)
        {
            if (span.Path.Length > 0) text.Append(span.Path).Append(": ");
            text.Append(message).Append('\n');
            return;
        }

        var (line, column) = found.Locate(span.Start);
        text.Append($"{span.Path}:{line}:{column}: {message}\n");
        if (found.Problem is not null) return;

        // Tabs count as one blank in the caret's line as in the source's.
        var whole = found.Line(line).Replace('\t', ' ');
        var from = column > LongestLine - 20 ? Math.Max(0, column - LongestLine / 2) : 0;
        var shown = whole.Length - from > LongestLine
            ? whole.Substring(from, LongestLine) + "…"
            : whole.Substring(Math.Min(from, whole.Length));
        var caret = column - 1 - from;
        var width = Math.Max(1, Math.Min(span.Length, Math.Max(1, shown.Length - caret)));
        text.Append(line.ToString().PadLeft(Gutter)).Append(" | ").Append(from > 0 ? "…" : "").Append(shown.TrimEnd()).Append('\n');
        text.Append(' ', Gutter).Append(" | ").Append(' ', caret + (from > 0 ? 1 : 0)).Append('^', width).Append('\n');
    }
}
