using System.Collections.Immutable;

namespace ModelDsl.Compiler.Diagnostics;

/// <summary>One message about the user's text: what is wrong, where, and what would be right.</summary>
/// <param name="Hint">The remedy, if one is known: <c>did you mean 'q_rank'?</c></param>
/// <param name="Notes">Other places that explain this one.</param>
public sealed record Diagnostic(
    DiagnosticCode Code, Severity Severity, SourceSpan Span, string Message, string? Hint, ImmutableArray<DiagnosticNote> Notes)
{
    /// <summary>The code as people write it: <c>DSM0107</c>.</summary>
    public string Id => Code.Id();

    public bool IsError => Severity == Severity.Error;

    public Diagnostic WithNote(SourceSpan span, string message) => this with { Notes = Notes.Add(new DiagnosticNote(span, message)) };
}

/// <summary>A second place that a message speaks of.</summary>
public sealed record DiagnosticNote(SourceSpan Span, string Message);
