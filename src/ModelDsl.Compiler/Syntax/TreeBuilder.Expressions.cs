using System.Collections.Immutable;
using Antlr4.Runtime;
using Antlr4.Runtime.Tree;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax.Generated;

namespace ModelDsl.Compiler.Syntax;

internal sealed partial class TreeBuilder
{
    public ExpressionSyntax Expression(DsmParser.ExpressionContext? context)
    {
        if (context is null || context.sum().Length == 0) return Missing(context);
        var first = Sum(context.sum(0));
        return context.sum().Length == 1 ? first : new RangeSyntax(Span(context), first, Sum(context.sum(1)));
    }

    private ExpressionSyntax Sum(DsmParser.SumContext context) =>
        Chain(context, context.product(), product => Chain(product, product.factor(), Factor));

    /// <summary>Operands and the operators between them; children alternate.</summary>
    private ExpressionSyntax Chain<T>(ParserRuleContext context, T[] operands, Func<T, ExpressionSyntax> build) where T : ParserRuleContext
    {
        if (operands.Length == 0) return Missing(context);
        var first = build(operands[0]);
        var links = ImmutableArray.CreateBuilder<ChainLink>();
        var operators = context.children.OfType<ITerminalNode>().Where(n => n.Symbol.Text is "+" or "-" or "*" or "/").ToArray();
        for (var i = 1; i < operands.Length && i <= operators.Length; i++)
            links.Add(new ChainLink(operators[i - 1].Symbol.Text[0], Span(operators[i - 1].Symbol), build(operands[i])));
        return links.Count == 0 ? first : new ChainSyntax(Span(context), first, links.ToImmutable());
    }

    private ExpressionSyntax Factor(DsmParser.FactorContext context)
    {
        var value = Primary(context.primary());
        var signs = context.children?.OfType<ITerminalNode>().Count(n => n.Symbol.Text == "-") ?? 0;
        return signs % 2 == 0 ? value : new NegationSyntax(Span(context), value);
    }

    private ExpressionSyntax Primary(DsmParser.PrimaryContext? context) => context switch
    {
        DsmParser.QuantityContext { Start: { TokenIndex: >= 0, Text.Length: > 0 } token } => new QuantitySyntax(Span(token), token.Text),
        DsmParser.StringContext { Start: { TokenIndex: >= 0 } token } when IsClosed(token) => String(token),
        DsmParser.CallContext call when Name(call.name()) is { } name => new CallSyntax(Span(call), name, Arguments(call.arguments())),
        DsmParser.ReferenceContext reference when Name(reference.name()) is { } name => new ReferenceSyntax(name.Span, name.Text),
        DsmParser.ListContext list => new ListSyntax(Span(list), list.expression().Select(Expression).ToImmutableArray()),
        DsmParser.GroupContext group => new GroupSyntax(Span(group), Expression(group.expression())),
        _ => Missing(context),
    };

    private static bool IsClosed(IToken text) => text.Text.Length > 1 && text.Text[text.Text.Length - 1] == '"';

    private StringSyntax String(IToken token) => new(Span(token), token.Text.Trim('"'));

    private MissingSyntax Missing(ParserRuleContext? context) => new(context?.Start is null ? new SourceSpan(path, 0, 0) : Span(context));
}
