namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>A part of a template that writes text or changes variables.</summary>
internal abstract record Statement(int Line)
{
    public sealed record Text(int Line, string Value) : Statement(Line);

    public sealed record Output(int Line, Expression Value) : Statement(Line);

    public sealed record If(int Line, Expression Condition, IReadOnlyList<Statement> Then, IReadOnlyList<Statement> Otherwise) : Statement(Line);

    /// <summary>A loop; <paramref name="Filter"/> picks items first, <paramref name="Otherwise"/> runs when none is left.</summary>
    public sealed record For(
        int Line, IReadOnlyList<string> Targets, Expression Items, Expression? Filter,
        IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Otherwise) : Statement(Line);

    public sealed record Set(int Line, IReadOnlyList<string> Targets, Expression Value) : Statement(Line);

    /// <summary><c>{% set namespace.name = value %}</c></summary>
    public sealed record SetAttribute(int Line, string Namespace, string Id, Expression Value) : Statement(Line);

    /// <summary><c>{% set name %}text{% endset %}</c></summary>
    public sealed record SetBlock(int Line, string Target, IReadOnlyList<Statement> Body) : Statement(Line);

    public sealed record Macro(
        int Line, string Id, IReadOnlyList<(string Name, Expression? Default)> Parameters, IReadOnlyList<Statement> Body) : Statement(Line);

    /// <summary>A scope of its own, with variables set at its start.</summary>
    public sealed record With(int Line, IReadOnlyList<(string Name, Expression Value)> Variables, IReadOnlyList<Statement> Body) : Statement(Line);

    public sealed record Break(int Line) : Statement(Line);

    public sealed record Continue(int Line) : Statement(Line);
}
