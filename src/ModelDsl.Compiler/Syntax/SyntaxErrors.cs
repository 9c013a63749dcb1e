using Antlr4.Runtime;
using Antlr4.Runtime.Misc;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax.Generated;

namespace ModelDsl.Compiler.Syntax;

/// <summary>Puts the parser's complaints into our words, one per line of the file at most.</summary>
internal sealed class SyntaxErrors(string path) : IAntlrErrorListener<IToken>
{
    private const int LongestQuote = 32;
    private const int MostProblems = 1000;

    private readonly List<Diagnostic> _problems = new();
    private int _lastLine;

    public IReadOnlyList<Diagnostic> Problems => _problems;

    public void SyntaxError(
        TextWriter output, IRecognizer recognizer, IToken offendingSymbol, int line, int charPositionInLine, string msg,
        RecognitionException e)
    {
        if (line == _lastLine || _problems.Count == MostProblems) return;
        _lastLine = line;

        var parser = (Parser)recognizer;
        var before = Previous(parser.TokenStream, offendingSymbol);
        // `hidden 7168`: read as a block with a label, whose brace does not come.
        if (parser.Context is DsmParser.BodyContext { ChildCount: 0, Parent: DsmParser.BlockContext block } && block.label() is { } label)
        {
            _lastLine = label.Start.Line;
            _problems.Add(Catalogue.Unexpected(TokenScan.Span(path, label.Start, label.Stop),
                $"'=' or '{{' behind '{block.name().GetText()}'", Found(label.Start)));
            return;
        }

        // What is missing is missing after the last token, not where the next one happens to stand, lines below.
        var span = before is not null && (offendingSymbol.Type == TokenConstants.EOF || before.Line < offendingSymbol.Line)
            && !StartsEntry(parser)
            ? Behind(before)
            : TokenScan.Span(path, offendingSymbol);
        if (offendingSymbol.Type == TokenConstants.EOF) span = new SourceSpan(path, Math.Max(0, span.Start), 0);
        _problems.Add(Catalogue.Unexpected(span, Expected(parser, e), Found(offendingSymbol)));
    }

    private SourceSpan Behind(IToken token)
    {
        _lastLine = token.Line;
        return new SourceSpan(path, token.StopIndex + 1, 0);
    }

    private static bool StartsEntry(Parser parser) =>
        parser.Context.RuleIndex is DsmParser.RULE_body or DsmParser.RULE_item or DsmParser.RULE_file;

    private static string Found(IToken token)
    {
        if (token.Type == TokenConstants.EOF) return "the end of the file";
        var text = token.Text.Length <= LongestQuote ? token.Text : token.Text.Substring(0, LongestQuote) + "…";
        return $"'{text}'";
    }

    private static string Expected(Parser parser, RecognitionException? e)
    {
        switch (parser.Context.RuleIndex)
        {
            case DsmParser.RULE_file or DsmParser.RULE_declaration when parser.Context.ChildCount <= 1 && !HasName(parser.Context):
                return "a declaration";
            case DsmParser.RULE_item:
            case DsmParser.RULE_body when parser.Context.ChildCount > 0:
                return "an attribute, a block, a step or '}'";
            case DsmParser.RULE_entry:
                return "'=', '(' or '{'";
        }

        var set = ExpectedSet(parser, e);
        var words = new List<string>();
        if (set.Contains(DsmParser.QUANTITY)) words.Add("a value");
        else if (set.Contains(DsmParser.NAME)) words.Add("a name");
        else if (set.Contains(DsmParser.STRING)) words.Add("a text in quotes");
        foreach (var type in set.ToList())
        {
            var literal = parser.Vocabulary.GetLiteralName(type);
            if (literal is "'{'" or "'}'" or "'='" or "','" or "')'" or "']'" or "':'") words.Add(literal);
            else if (literal is "'('" && words.Count == 0) words.Add(literal);
        }
        if (words.Count == 0) words.Add("something else");
        return words.Count == 1 ? words[0] : string.Join(", ", words.Take(words.Count - 1)) + " or " + words[words.Count - 1];
    }

    private static bool HasName(RuleContext context) =>
        context is ParserRuleContext rule && rule.GetRuleContexts<DsmParser.NameContext>().Length > 0;

    private static IntervalSet ExpectedSet(Parser parser, RecognitionException? e)
    {
        try
        {
            return e?.GetExpectedTokens() ?? parser.GetExpectedTokens();
        }
        catch (ArgumentException)
        {
            return new IntervalSet();
        }
    }

    private static IToken? Previous(ITokenStream stream, IToken token)
    {
        for (var i = token.TokenIndex - 1; i >= 0; i--)
            if (stream.Get(i).Channel == TokenConstants.DefaultChannel)
                return stream.Get(i);
        return null;
    }
}
