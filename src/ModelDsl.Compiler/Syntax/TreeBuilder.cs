using System.Collections.Immutable;
using Antlr4.Runtime;
using Antlr4.Runtime.Tree;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax.Generated;

namespace ModelDsl.Compiler.Syntax;

/// <summary>
/// Turns ANTLR's contexts into our nodes. After a syntax error contexts have holes; a hole becomes <see cref="MissingSyntax"/>.
/// </summary>
internal sealed partial class TreeBuilder(string path, IReadOnlyList<Diagnostic> errors)
{
    private readonly List<Diagnostic> _problems = new();

    public IReadOnlyList<Diagnostic> Problems => _problems;

    public ImmutableArray<DeclarationSyntax> Declarations(DsmParser.FileContext file) =>
        file.declaration().Select(Declaration).Where(d => d is not null).Select(d => d!).ToImmutableArray();

    private DeclarationSyntax? Declaration(DsmParser.DeclarationContext context)
    {
        switch (context)
        {
            case DsmParser.UseDeclarationContext use when use.STRING() is { } text && IsClosed(text.Symbol):
                return new UseSyntax(Span(use), String(text.Symbol));
            case DsmParser.ParameterDeclarationContext parameter when Name(parameter.name()) is { } name:
                return new ParameterSyntax(Span(parameter), name, Expression(parameter.expression()));
            case DsmParser.ObjectDeclarationContext item when item.name() is { Length: >= 2 } names && Name(names[0]) is { } kind
                && Name(names[1]) is { } name:
                var span = Span(item);
                var broken = item.body() is null || HasError(span.Start, span.End);
                return new ObjectSyntax(span, kind, name, names.Length > 2 ? Name(names[2]) : null, Entries(item.body()), broken);
            default:
                return null;
        }
    }

    private ImmutableArray<EntrySyntax> Entries(DsmParser.BodyContext? body)
    {
        if (body is null) return ImmutableArray<EntrySyntax>.Empty;
        var entries = ImmutableArray.CreateBuilder<EntrySyntax>();
        IToken? previous = null;
        foreach (var child in body.children ?? Array.Empty<IParseTree>())
        {
            if (child is not DsmParser.ItemContext item || item.entry() is not { } context) continue;

            if (previous is not null && previous.Line == context.Start.Line && !HasError(previous.StartIndex, context.Stop?.StopIndex ?? 0))
                _problems.Add(Catalogue.MissingComma(new SourceSpan(path, previous.StopIndex + 1, 0)));
            previous = item.ChildCount == 1 ? context.Stop : null;
            if (Entry(context) is { } entry) entries.Add(entry);
        }
        return entries.ToImmutable();
    }

    private EntrySyntax? Entry(DsmParser.EntryContext context) => context switch
    {
        DsmParser.AttributeContext a when Name(a.name()) is { } name => new AttributeSyntax(Span(a), name, Expression(a.expression())),
        DsmParser.StepContext s when Name(s.name()) is { } name => new StepSyntax(Span(s), name, Arguments(s.arguments())),
        // Without a brace of its own it may be an attribute that lacks its '=' as well; that has been reported.
        DsmParser.BlockContext b when HasBrace(b.body()) && Name(b.name()) is { } name =>
            new BlockSyntax(Span(b), name, b.label() is { } label ? Expression(label.expression()) : null, Entries(b.body())),
        _ => null,
    };

    private static bool HasBrace(DsmParser.BodyContext? body) =>
        body?.children?[0] is ITerminalNode { Symbol: { Text: "{", TokenIndex: >= 0 } };

    private ImmutableArray<ArgumentSyntax> Arguments(DsmParser.ArgumentsContext? context) =>
        context is null
            ? ImmutableArray<ArgumentSyntax>.Empty
            : context.argument().Select(a => new ArgumentSyntax(Span(a), Name(a.name()), Expression(a.expression()))).ToImmutableArray();

    private NameSyntax? Name(DsmParser.NameContext? context) =>
        context is { exception: null, Start: { TokenIndex: >= 0 } token, Stop: not null } ? new NameSyntax(Span(context), token.Text)
            : null;

    private bool HasError(int from, int to) => errors.Any(e => e.Span.Start >= from && e.Span.Start <= to);

    private SourceSpan Span(ParserRuleContext context) => TokenScan.Span(path, context.Start, context.Stop);

    private SourceSpan Span(IToken token) => TokenScan.Span(path, token);
}
