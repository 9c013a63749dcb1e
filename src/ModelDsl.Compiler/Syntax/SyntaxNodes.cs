using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Syntax;

/// <summary>A piece of a .dsm file and where it stands. Nodes know nothing of what the words mean.</summary>
public abstract record SyntaxNode(SourceSpan Span);

/// <summary>A parsed file.</summary>
/// <param name="Comments">In order of place; the tree itself holds none.</param>
public sealed record FileSyntax(
    SourceText Source, ImmutableArray<DeclarationSyntax> Declarations, ImmutableArray<CommentSyntax> Comments);

public sealed record CommentSyntax(SourceSpan Span, string Text) : SyntaxNode(Span);

public sealed record NameSyntax(SourceSpan Span, string Text) : SyntaxNode(Span);

public abstract record DeclarationSyntax(SourceSpan Span) : SyntaxNode(Span);

/// <summary><c>use "other.dsm"</c></summary>
public sealed record UseSyntax(SourceSpan Span, StringSyntax Path) : DeclarationSyntax(Span);

/// <summary><c>param x = 7</c></summary>
public sealed record ParameterSyntax(SourceSpan Span, NameSyntax Name, ExpressionSyntax Value) : DeclarationSyntax(Span);

/// <summary><c>kind Name from Base { … }</c></summary>
/// <param name="HasErrors">Something in it did not parse; what seems missing may just be unreadable.</param>
public sealed record ObjectSyntax(
    SourceSpan Span, NameSyntax Kind, NameSyntax Name, NameSyntax? Base, ImmutableArray<EntrySyntax> Entries, bool HasErrors)
    : DeclarationSyntax(Span);

public abstract record EntrySyntax(SourceSpan Span, NameSyntax Name) : SyntaxNode(Span);

/// <summary><c>name = value</c></summary>
public sealed record AttributeSyntax(SourceSpan Span, NameSyntax Name, ExpressionSyntax Value) : EntrySyntax(Span, Name);

/// <summary><c>name(arguments)</c>, where order matters.</summary>
public sealed record StepSyntax(SourceSpan Span, NameSyntax Name, ImmutableArray<ArgumentSyntax> Arguments) : EntrySyntax(Span, Name);

/// <summary><c>name label { … }</c></summary>
public sealed record BlockSyntax(SourceSpan Span, NameSyntax Name, ExpressionSyntax? Label, ImmutableArray<EntrySyntax> Entries)
    : EntrySyntax(Span, Name);

/// <summary><c>value</c> or <c>name: value</c></summary>
public sealed record ArgumentSyntax(SourceSpan Span, NameSyntax? Name, ExpressionSyntax Value) : SyntaxNode(Span);
