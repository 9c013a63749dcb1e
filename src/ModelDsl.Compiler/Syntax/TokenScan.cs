using Antlr4.Runtime;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax.Generated;

namespace ModelDsl.Compiler.Syntax;

/// <summary>
/// A look at the tokens before the parser sees them: characters that belong to none, quotes and braces that never close,
/// nesting that would exhaust the stack of a recursive parser.
/// </summary>
internal sealed class TokenScan
{
    public const int MaximumDepth = 200;

    private readonly string _path;
    private readonly List<Diagnostic> _problems = new();
    private readonly List<CommentSyntax> _comments = new();

    private TokenScan(string path) => _path = path;

    public IReadOnlyList<Diagnostic> Problems => _problems;

    public IReadOnlyList<CommentSyntax> Comments => _comments;

    /// <summary>False: the braces do not pair up, or lie too deep, and a tree would only mislead.</summary>
    public bool CanParse { get; private set; } = true;

    /// <summary>What the parser gets: the tokens, with the repairs of <see cref="TokenRepair"/>.</summary>
    public IList<IToken> Tokens { get; private set; } = Array.Empty<IToken>();

    public static TokenScan Over(string path, IList<IToken> tokens)
    {
        var scan = new TokenScan(path);
        scan.CheckCharacters(tokens);
        scan.Tokens = TokenRepair.Repair(path, tokens, scan._problems);
        scan.CheckBraces(scan.Tokens);
        return scan;
    }

    public static SourceSpan Span(string path, IToken first, IToken? last = null)
    {
        var end = last is null || last.StopIndex < first.StartIndex ? first.StopIndex : last.StopIndex;
        return new SourceSpan(path, first.StartIndex, Math.Max(0, end - first.StartIndex + 1));
    }

    private void CheckCharacters(IList<IToken> tokens)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            switch (token.Type)
            {
                case DsmLexer.LINE_COMMENT or DsmLexer.BLOCK_COMMENT:
                    _comments.Add(new CommentSyntax(Span(_path, token), token.Text));
                    if (token.Type == DsmLexer.BLOCK_COMMENT
                        && (token.Text.Length < 4 || !token.Text.EndsWith("*/", StringComparison.Ordinal)))
                        _problems.Add(Catalogue.OpenComment(new SourceSpan(_path, token.StartIndex, 2)));
                    break;
                case DsmLexer.STRING when token.Text.Length < 2 || token.Text[token.Text.Length - 1] != '"':
                    _problems.Add(Catalogue.OpenString(Span(_path, token)));
                    break;
                case DsmLexer.UNKNOWN:
                    var last = i;
                    while (last + 1 < tokens.Count && tokens[last + 1].Type == DsmLexer.UNKNOWN
                        && tokens[last + 1].StartIndex == tokens[last].StopIndex + 1) last++;
                    var at = token.Text.Length > 1 ? new SourceSpan(_path, token.StartIndex, 1) : Span(_path, token, tokens[last]);
                    _problems.Add(Catalogue.UnknownCharacter(at, token.Text[0]));
                    i = last;
                    break;
            }
        }
    }

    private void CheckBraces(IList<IToken> tokens)
    {
        var open = new Stack<IToken>();
        for (var i = 0; i < tokens.Count && CanParse; i++)
        {
            var token = tokens[i];
            if (token.Channel != TokenConstants.DefaultChannel) continue;
            switch (token.Text)
            {
                case "{" or "(" or "[":
                    if (open.Count == MaximumDepth) Refuse(Catalogue.TooDeep(Span(_path, token), MaximumDepth));
                    open.Push(token);
                    break;
                case ")" or "]" when open.Count > 0 && open.Peek().Text != "{":
                    open.Pop();
                    break;
                case "}" when open.Count == 0:
                    Refuse(Catalogue.ExtraBrace(Span(_path, token)));
                    break;
                case "}":
                    open.Pop();
                    break;
                // A declaration in the first column while a brace is open: that brace is the one to blame.
                case var word when open.Count > 0 && token.Column == 0 && DeclarationWords.IsKind(word):
                    Refuse(Catalogue.OpenBrace(Span(_path, open.Peek())).WithNote(Span(_path, token), "the next declaration starts here"));
                    break;
            }
        }
        if (CanParse && open.Count > 0) Refuse(Catalogue.OpenBrace(Span(_path, open.Peek())));
    }

    private void Refuse(Diagnostic problem)
    {
        _problems.Add(problem);
        CanParse = false;
    }
}
