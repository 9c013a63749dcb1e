using Antlr4.Runtime;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax.Generated;

namespace ModelDsl.Compiler.Syntax;

/// <summary>
/// The two slips that would mislead the parser for lines on end are mended before it starts: a value that is missing behind
/// <c>=</c>, and a <c>(</c> or <c>[</c> that is still open where an entry begins or a block ends. Each is reported here.
/// </summary>
internal sealed class TokenRepair
{
    private readonly string _path;
    private readonly List<Diagnostic> _problems;
    private readonly List<IToken> _result = new();
    private readonly Stack<IToken> _open = new();

    private TokenRepair(string path, List<Diagnostic> problems) => (_path, _problems) = (path, problems);

    public static IList<IToken> Repair(string path, IList<IToken> tokens, List<Diagnostic> problems)
    {
        var repair = new TokenRepair(path, problems);
        for (var i = 0; i < tokens.Count; i++)
        {
            repair.Take(tokens[i], Next(tokens, i));
            // Hopeless, and reported as such by the scan that follows.
            if (repair._open.Count > TokenScan.MaximumDepth) return tokens;
        }
        repair.Close(repair._result.Count);
        return repair._result;
    }

    private void Take(IToken token, IToken? next)
    {
        var text = token.Channel == TokenConstants.DefaultChannel ? token.Text : "";
        switch (text)
        {
            case "(" or "[":
                _open.Push(token);
                break;
            case ")" or "]" when _open.Count > 0:
                _open.Pop();
                break;
            case "}":
                Close(_result.Count);
                break;
            // Arguments are named with ':', so '=' belongs to the next entry, whose name has already gone by.
            case "=" or "{" when _open.Count > 0:
                Close(text == "=" ? _result.Count - 1 : LineStart(token));
                break;
        }

        _result.Add(token);
        if (text != "=" || (next is not null && next.Line == token.Line)) return;
        _problems.Add(Catalogue.MissingValue(TokenScan.Span(_path, token)));
        _result.Add(Made(DsmLexer.QUANTITY, "", token));
    }

    /// <summary>Closes what is open, in front of the token at a place in the result.</summary>
    private void Close(int at)
    {
        while (_open.Count > 0)
        {
            var bracket = _open.Pop();
            at = Math.Max(at, _result.LastIndexOf(bracket) + 1);
            _problems.Add(Catalogue.OpenBracket(TokenScan.Span(_path, bracket), bracket.Text));
            var before = _result[at - 1];
            _result.Insert(at, bracket.Text == "(" ? Made(DsmLexer.CLOSE_PAREN, ")", before) : Made(DsmLexer.CLOSE_BRACKET, "]", before));
            at++;
        }
    }

    private int LineStart(IToken token)
    {
        var at = _result.Count;
        while (at > 0 && _result[at - 1].Line == token.Line) at--;
        return at;
    }

    private static IToken? Next(IList<IToken> tokens, int i)
    {
        for (i++; i < tokens.Count; i++)
            if (tokens[i].Channel == TokenConstants.DefaultChannel)
                return tokens[i];
        return null;
    }

    /// <summary>A token that nobody wrote: empty, behind another.</summary>
    private static CommonToken Made(int type, string text, IToken behind) => new(type, text)
    {
        Line = behind.Line,
        Column = behind.Column + behind.Text.Length,
        StartIndex = behind.StopIndex + 1,
        StopIndex = behind.StopIndex,
    };
}
