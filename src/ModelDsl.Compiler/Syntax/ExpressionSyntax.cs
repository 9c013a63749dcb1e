using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Syntax;

public abstract record ExpressionSyntax(SourceSpan Span) : SyntaxNode(Span);

/// <summary>A number with suffix and unit as it was written: <c>14.8T tokens</c>.</summary>
public sealed record QuantitySyntax(SourceSpan Span, string Text) : ExpressionSyntax(Span);

/// <param name="Value">The text between the quotes.</param>
public sealed record StringSyntax(SourceSpan Span, string Value) : ExpressionSyntax(Span);

/// <summary>A bare name: a parameter, another declaration, or one of a set of words.</summary>
public sealed record ReferenceSyntax(SourceSpan Span, string Name) : ExpressionSyntax(Span);

public sealed record CallSyntax(SourceSpan Span, NameSyntax Name, ImmutableArray<ArgumentSyntax> Arguments) : ExpressionSyntax(Span);

public sealed record ListSyntax(SourceSpan Span, ImmutableArray<ExpressionSyntax> Items) : ExpressionSyntax(Span);

/// <summary><c>first..last</c>, both included.</summary>
public sealed record RangeSyntax(SourceSpan Span, ExpressionSyntax First, ExpressionSyntax Last) : ExpressionSyntax(Span);

/// <summary>
/// A row of operands joined by operators of one precedence, worked off from the left. One flat node: a sum of a
/// hundred thousand terms must not be a hundred thousand levels deep.
/// </summary>
public sealed record ChainSyntax(SourceSpan Span, ExpressionSyntax First, ImmutableArray<ChainLink> Rest) : ExpressionSyntax(Span);

/// <param name="Operator">One of <c>+ - * /</c>.</param>
public sealed record ChainLink(char Operator, SourceSpan OperatorSpan, ExpressionSyntax Operand);

public sealed record NegationSyntax(SourceSpan Span, ExpressionSyntax Operand) : ExpressionSyntax(Span);

public sealed record GroupSyntax(SourceSpan Span, ExpressionSyntax Inner) : ExpressionSyntax(Span);

/// <summary>Where a value should stand and none could be read; has been reported, so nobody complains again.</summary>
public sealed record MissingSyntax(SourceSpan Span) : ExpressionSyntax(Span);
