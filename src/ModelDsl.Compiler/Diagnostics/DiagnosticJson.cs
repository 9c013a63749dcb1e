using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Diagnostics;

/// <summary>Messages for programs: an array of objects with code, severity, place, message, hint and notes.</summary>
public static class DiagnosticJson
{
    public static string Render(IEnumerable<Diagnostic> diagnostics, Func<string, SourceText?> source) =>
        new JsonText().Array(null, list =>
        {
            foreach (var diagnostic in diagnostics)
                list.Object(null, item =>
                {
                    item.Value("code", diagnostic.Id).Value("severity", DiagnosticText.Word(diagnostic.Severity));
                    Place(item, diagnostic.Span, source);
                    item.Value("message", diagnostic.Message).Value("hint", diagnostic.Hint);
                    item.Array("notes", notes =>
                    {
                        foreach (var note in diagnostic.Notes)
                            notes.Object(null, n =>
                            {
                                Place(n, note.Span, source);
                                n.Value("message", note.Message);
                            });
                    });
                });
        }).ToString();

    private static void Place(JsonText json, SourceSpan span, Func<string, SourceText?> source)
    {
        json.Value("file", span.Path);
        if (source(span.Path) is not { } text) return;
        var (line, column) = text.Locate(span.Start);
        var (endLine, endColumn) = text.Locate(span.End);
        json.Value("line", line).Value("column", column).Value("endLine", endLine).Value("endColumn", endColumn);
    }
}
