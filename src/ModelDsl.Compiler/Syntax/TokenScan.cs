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

    public static TokenScan Over(string path, IList<IToken> tokens)
    {
        var scan = new TokenScan(path);
        scan.CheckCharacters(tokens);
        scan.CheckBraces(tokens);
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
                    if (token.Type == DsmLexer.BLOCK_COMMENT && (token.Text.Length < 4 || !token.Text.EndsWith("*/", StringComparison.Ordinal)))
                        _problems.Add(Catalogue.OpenComment(new SourceSpan(_path, token.StartIndex, 2)));
                    break;
                case DsmLexer.STRING when token.Text.Length < 2 || token.Text[token.Text.Length - 1] != '"':
                    _problems.Add(Catalogue.OpenString(Span(_path, token)));
                    break;
                case DsmLexer.UNKNOWN:
                    var last = i;
                    while (last + 1 < tokens.Count && tokens[last + 1].Type == DsmLexer.UNKNOWN
                        && tokens[last + 1].StartIndex == tokens[last].StopIndex + 1) last++;
                    _problems.Add(Catalogue.UnknownCharacter(Span(_path, token, tokens[last]), token.Text[0]));
                    i = last;
                    break;
            }
        }
    }

    private void CheckBraces(IList<IToken> tokens)
    {
        var open = new Stack<IToken>();
        var blamed = false;
        var deepest = 0;
        foreach (var token in tokens.Where(t => t.Channel == TokenConstants.DefaultChannel))
        {
            switch (token.Text)
            {
                case "{" or "(" or "[":
                    open.Push(token);
                    if (open.Count > MaximumDepth && deepest <= MaximumDepth)
                    {
                        _problems.Add(Catalogue.TooDeep(Span(_path, token), MaximumDepth));
                        CanParse = false;
                    }
                    deepest = Math.Max(deepest, open.Count);
                    break;
                case ")" or "]":
                    if (open.Count > 0 && open.Peek().Text != "{") open.Pop();
                    break;
                case "}":
                    while (open.Count > 0 && open.Peek().Text != "{") open.Pop();
                    if (open.Count > 0) open.Pop();
                    else
                    {
                        if (CanParse) _problems.Add(Catalogue.ExtraBrace(Span(_path, token)));
                        CanParse = false;
                    }
                    break;
                default:
                    // A declaration in the first column while a brace is open: that brace is the one to blame.
                    if (!blamed && open.Count > 0 && token.Column == 0 && open.Peek().Text == "{" && DeclarationWords.IsKind(token.Text))
                    {
                        _problems.Add(Catalogue.OpenBrace(Span(_path, open.Peek())).WithNote(Span(_path, token), "the next declaration starts here"));
                        blamed = true;
                        CanParse = false;
                        open.Clear();
                    }
                    break;
            }
        }

        if (blamed || deepest > MaximumDepth) return;
        var brace = open.FirstOrDefault(t => t.Text == "{");
        if (brace is null) return;
        _problems.Add(Catalogue.OpenBrace(Span(_path, brace)));
        CanParse = false;
    }
}
