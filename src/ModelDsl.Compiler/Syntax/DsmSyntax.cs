using System.Collections.Immutable;
using Antlr4.Runtime;
using Antlr4.Runtime.Atn;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax.Generated;

namespace ModelDsl.Compiler.Syntax;

/// <summary>A parsed text and all that is wrong with its form. There is always a tree, however broken the text.</summary>
public sealed record ParsedFile(FileSyntax Tree, ImmutableArray<Diagnostic> Diagnostics);

/// <summary>Text to tree. Any text gives an answer: no input makes it throw or hang.</summary>
public static class DsmSyntax
{
    public static ParsedFile Parse(SourceText source)
    {
        if (source.Problem is { } problem) return new ParsedFile(Empty(source), ImmutableArray.Create(problem));

        var scan = Scan(source);
        var comments = scan.Comments.ToImmutableArray();
        if (!scan.CanParse) return new ParsedFile(Empty(source) with { Comments = comments }, Sort(scan.Problems));

        var errors = new SyntaxErrors(source.Path);
        var context = Configure(scan, errors).file();
        var builder = new TreeBuilder(source.Path, [.. scan.Problems, .. errors.Problems]);
        var declarations = builder.Declarations(context);
        return new ParsedFile(
            new FileSyntax(source, declarations, comments), Sort(scan.Problems.Concat(errors.Problems).Concat(builder.Problems)));
    }

    /// <summary>Reads a single value, such as the right-hand side of <c>--set path=value</c>.</summary>
    public static (ExpressionSyntax Value, ImmutableArray<Diagnostic> Diagnostics) ParseValue(SourceText source)
    {
        if (source.Problem is { } problem) return (new MissingSyntax(new SourceSpan(source.Path, 0, 0)), ImmutableArray.Create(problem));

        var scan = Scan(source);
        var errors = new SyntaxErrors(source.Path);
        var builder = new TreeBuilder(source.Path, errors.Problems);
        var value = scan.CanParse
            ? builder.Expression(Configure(scan, errors).value().expression())
            : new MissingSyntax(new SourceSpan(source.Path, 0, source.Text.Length));
        return (value, Sort(scan.Problems.Concat(errors.Problems)));
    }

    private static TokenScan Scan(SourceText source)
    {
        var lexer = new DsmLexer(new AntlrInputStream(source.Text), TextWriter.Null, TextWriter.Null);
        lexer.RemoveErrorListeners();
        return TokenScan.Over(source.Path, lexer.GetAllTokens());
    }

    private static DsmParser Configure(TokenScan scan, SyntaxErrors errors)
    {
        var parser = new DsmParser(new CommonTokenStream(new ListTokenSource(scan.Tokens)), TextWriter.Null, TextWriter.Null);
        parser.RemoveErrorListeners();
        parser.AddErrorListener(errors);
        parser.ErrorHandler = new LineRecovery();
        // The grammar is decided by two tokens of lookahead; SLL finds the same trees without the full-context machinery.
        parser.Interpreter.PredictionMode = PredictionMode.SLL;
        return parser;
    }

    private static FileSyntax Empty(SourceText source) =>
        new(source, ImmutableArray<DeclarationSyntax>.Empty, ImmutableArray<CommentSyntax>.Empty);

    private static ImmutableArray<Diagnostic> Sort(IEnumerable<Diagnostic> diagnostics) =>
        diagnostics.OrderBy(d => d.Span.Start).ToImmutableArray();
}
