namespace ModelDsl.Runtime.Tokenization.Patterns;

/// <summary>How a repetition gives back what it took: as much as needed, as little as possible first, or never.</summary>
internal enum Greed
{
    Greedy,
    Lazy,
    Possessive,
}

/// <summary>The syntax tree of a regular expression.</summary>
internal abstract record PatternNode
{
    /// <summary>One code point out of a set.</summary>
    public sealed record One(CodePointSet Set) : PatternNode;

    /// <summary>All items in turn; no items match the empty text.</summary>
    public sealed record Sequence(IReadOnlyList<PatternNode> Items) : PatternNode;

    /// <summary>The first option that leads to a match.</summary>
    public sealed record Choice(IReadOnlyList<PatternNode> Options) : PatternNode;

    /// <summary>Between <paramref name="Min"/> and <paramref name="Max"/> times (<see cref="int.MaxValue"/>: without end).</summary>
    public sealed record Repeat(PatternNode Body, int Min, int Max, Greed Greed) : PatternNode;

    /// <summary>The body, without a second try once it matched: <c>(?&gt;…)</c>.</summary>
    public sealed record Atomic(PatternNode Body) : PatternNode;

    /// <summary>The body matches (or not) from here on, and nothing is taken: <c>(?=…)</c>, <c>(?!…)</c>.</summary>
    public sealed record LookAhead(PatternNode Body, bool Negated) : PatternNode;

    /// <summary>The code point before is in the set (or not): <c>(?&lt;=x)</c>, <c>(?&lt;!x)</c>.</summary>
    public sealed record LookBehind(CodePointSet Set, bool Negated) : PatternNode;

    /// <summary>The start (<c>\A</c>) or the end (<c>\z</c>) of the text.</summary>
    public sealed record Edge(bool AtEnd) : PatternNode;

    /// <summary>Whether the node can match without taking anything.</summary>
    public bool CanBeEmpty => this switch
    {
        One => false,
        Sequence s => s.Items.All(i => i.CanBeEmpty),
        Choice c => c.Options.Any(o => o.CanBeEmpty),
        Repeat r => r.Min == 0 || r.Body.CanBeEmpty,
        Atomic a => a.Body.CanBeEmpty,
        _ => true,
    };
}
