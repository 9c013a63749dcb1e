using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;
using Spectre.Console;

namespace ModelDsl.Cli.Output;

/// <summary>Diagnostics for people: in colour where somebody watches, the same text plain where nobody does.</summary>
internal static class DiagnosticPrinter
{
    public static void Print(IReadOnlyList<Diagnostic> diagnostics, Func<string, SourceText?> source, IoContext io)
    {
        if (diagnostics.Count == 0) return;
        var text = DiagnosticText.Render(diagnostics, source);
        if (!io.IsTerminal)
        {
            io.Error.Write(text);
            return;
        }

        var console = Terminal.On(io.Error);
        foreach (var line in text.Split('\n')) console.Write(new Text(line + "\n", StyleOf(line)));
    }

    /// <summary>The head of a message has its colour, the caret too; source lines stay as they are.</summary>
    private static Style StyleOf(string line) => line switch
    {
        _ when line.Contains(": error DSM", StringComparison.Ordinal) => new Style(Color.Red, decoration: Decoration.Bold),
        _ when line.Contains(": warning DSM", StringComparison.Ordinal) => new Style(Color.Yellow, decoration: Decoration.Bold),
        _ when line.Contains(": info DSM", StringComparison.Ordinal) || line.Contains(": note: ", StringComparison.Ordinal) => new Style(Color.Blue),
        _ when line.TrimStart(' ', '|').StartsWith('^') => new Style(Color.Green),
        _ => Style.Plain,
    };
}
