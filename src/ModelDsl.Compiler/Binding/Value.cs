using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Binding;

/// <summary>What an expression comes to: parameters are in, arithmetic is done, units are base units.</summary>
internal abstract record Value(SourceSpan Span)
{
    /// <summary>For messages: "a number in bytes", "the word 'mla'".</summary>
    public abstract string Description { get; }
}

internal sealed record NumberValue(SourceSpan Span, Quantity Quantity) : Value(Span)
{
    public override string Description => Quantity.Dimension == Dimension.None ? "a number" : $"a number in {Quantity.Dimension}";
}

internal sealed record WordValue(SourceSpan Span, string Word) : Value(Span)
{
    public override string Description => $"the word '{Word}'";
}

internal sealed record TextValue(SourceSpan Span, string Text) : Value(Span)
{
    public override string Description => "a text";
}

internal sealed record CallValue(SourceSpan Span, NameSyntax Name, ImmutableArray<ArgumentSyntax> Arguments) : Value(Span)
{
    public override string Description => $"'{Name.Text}(…)'";
}

internal sealed record ListValue(SourceSpan Span, ImmutableArray<Value> Items) : Value(Span)
{
    public override string Description => "a list";
}

internal sealed record RangeValue(SourceSpan Span, Value First, Value Last) : Value(Span)
{
    public override string Description => "a range";
}

/// <summary>Something that has been reported already.</summary>
internal sealed record BadValue(SourceSpan Span) : Value(Span)
{
    public override string Description => "not readable";
}
