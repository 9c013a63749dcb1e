namespace ModelDsl.Compiler.Diagnostics;

/// <summary>
/// Where something was written. Two specs that differ only in their origin are equal: moving a comment must not
/// recompile a kernel, so a place is carried along but is never part of what a spec means.
/// </summary>
public sealed class Origin(SourceSpan span) : IEquatable<Origin>
{
    public static Origin None { get; } = new(SourceSpan.None);

    public SourceSpan Span { get; } = span;

    public bool Equals(Origin? other) => other is not null;

    public override bool Equals(object? obj) => obj is Origin;

    public override int GetHashCode() => 0;

    public override string ToString() => $"{Span.Path}@{Span.Start}";
}
