using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Diagnostics;

/// <summary>Messages as a SARIF 2.1.0 log, which code hosts and editors show at their place.</summary>
public static class DiagnosticSarif
{
    private const string Schema = "https://json.schemastore.org/sarif-2.1.0.json";

    public static string Render(IEnumerable<Diagnostic> diagnostics, Func<string, SourceText?> source)
    {
        var all = diagnostics.ToArray();
        var rules = all.Select(d => d.Code).Distinct().OrderBy(c => c).ToArray();
        return new JsonText().Object(null, log => log
            .Value("$schema", Schema)
            .Value("version", "2.1.0")
            .Array("runs", runs => runs.Object(null, run => run
                .Object("tool", tool => tool.Object("driver", driver => driver
                    .Value("name", "dsmc")
                    .Array("rules", list =>
                    {
                        foreach (var rule in rules)
                            list.Object(null, r => r.Value("id", rule.Id()).Value("name", rule.ToString())
                                .Object("shortDescription", d => d.Value("text", Explanations.Title(rule)))
                                .Object("help", d => d.Value("text", Explanations.Of(rule)).Value("markdown", Explanations.Of(rule))));
                    })))
                .Value("columnKind", "utf16CodeUnits")
                .Array("results", results =>
                {
                    foreach (var diagnostic in all) Result(results, diagnostic, Array.IndexOf(rules, diagnostic.Code), source);
                })))).ToString();
    }

    private static void Result(JsonText results, Diagnostic diagnostic, int rule, Func<string, SourceText?> source) =>
        results.Object(null, result =>
    {
        result.Value("ruleId", diagnostic.Id).Value("ruleIndex", rule)
            .Value("level", diagnostic.Severity switch { Severity.Error => "error", Severity.Warning => "warning", _ => "note" })
            .Object("message", m => m.Value("text", diagnostic.Message + (diagnostic.Hint is null ? "" : $" ({diagnostic.Hint})")));
        if (diagnostic.Span.Path.Length > 0) result.Array("locations", l => Location(l, diagnostic.Span, null, source));
        if (diagnostic.Notes.IsEmpty) return;
        result.Array("relatedLocations", list =>
        {
            foreach (var note in diagnostic.Notes) Location(list, note.Span, note.Message, source);
        });
    });

    private static void Location(JsonText list, SourceSpan span, string? message, Func<string, SourceText?> source) =>
        list.Object(null, location =>
    {
        location.Object("physicalLocation", place =>
        {
            place.Object("artifactLocation", a => a.Value("uri", Uri.EscapeUriString(span.Path.Replace('\\', '/'))));
            if (source(span.Path) is not { Problem: null } text) return;
            var (line, column) = text.Locate(span.Start);
            var (endLine, endColumn) = text.Locate(span.End);
            place.Object("region", r => r.Value("startLine", line).Value("startColumn", column)
                .Value("endLine", endLine).Value("endColumn", endColumn));
        });
        if (message is not null) location.Object("message", m => m.Value("text", message));
    });
}
