namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>
/// Cuts a template into text and tags, with whitespace control as Hugging Face sets it: a newline after a block tag goes
/// (trim_blocks), so does indentation before one (lstrip_blocks), and one newline at the very end.
/// </summary>
internal sealed class Lexer
{
    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _at;
    private bool _atLineStart = true;
    private int _line = 1;
    private int _counted;

    private Lexer(string source)
    {
        source = source.ReplaceLineEndings("\n");
        _source = source.EndsWith('\n') ? source[..^1] : source;
    }

    /// <exception cref="JinjaError">A tag or a string is not closed, or holds a character that belongs nowhere.</exception>
    public static List<Token> Tokenize(string source)
    {
        var lexer = new Lexer(source);
        while (lexer._at < lexer._source.Length)
            lexer.Next();
        lexer._tokens.Add(new Token(TokenKind.End, "", lexer.LineAt(lexer._source.Length)));
        return lexer._tokens;
    }

    /// <summary>The line a position lies on, from 1; counted on (or back) from the last position asked for.</summary>
    private int LineAt(int position)
    {
        _line += position >= _counted
            ? _source.AsSpan(_counted, position - _counted).Count('\n')
            : -_source.AsSpan(position, _counted - position).Count('\n');
        _counted = position;
        return _line;
    }

    private void Next()
    {
        var tag = NextTag(_at);
        if (tag < 0)
        {
            AddData(_source[_at..]);
            _at = _source.Length;
            return;
        }

        var text = _source[_at..tag];
        var kind = _source[tag + 1];
        _at = tag + 2;
        var mark = _at < _source.Length && _source[_at] is '-' or '+' ? _source[_at++] : ' ';
        if (mark == '-')
            text = text.TrimEnd();
        else if (mark != '+' && kind != '{')
            text = StripIndentation(text);
        AddData(text);
        switch (kind)
        {
            case '#':
                SkipComment(tag);
                break;
            case '%' when TakeWord("raw"):
                Raw(tag);
                break;
            default:
                Tag(tag, kind);
                break;
        }
    }

    private int NextTag(int from)
    {
        for (var at = _source.IndexOf('{', from); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
            if (_source[at + 1] is '{' or '%' or '#')
                return at;
        return -1;
    }

    private string StripIndentation(string text)
    {
        var line = text.LastIndexOf('\n') + 1;
        return (line > 0 || _atLineStart) && text.AsSpan(line).IsWhiteSpace() ? text[..line] : text;
    }

    private void AddData(string text)
    {
        if (text.Length > 0)
            _tokens.Add(new Token(TokenKind.Data, text, LineAt(_at)));
    }

    private void SkipComment(int start)
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
            throw new JinjaError("a comment is not closed", LineAt(start));
        var mark = end > _at ? _source[end - 1] : ' ';
        _at = end + 2;
        AfterTag(mark);
    }

    /// <summary>What follows a tag and belongs to it: all white space after "-", one newline after a block.</summary>
    private void AfterTag(char mark, bool isOutput = false)
    {
        var start = _at;
        if (mark == '-')
        {
            while (_at < _source.Length && char.IsWhiteSpace(_source[_at]))
                _at++;
        }
        else if (mark != '+' && !isOutput && _at < _source.Length && _source[_at] == '\n')
        {
            _at++;
        }

        _atLineStart = _at > start && _source[_at - 1] == '\n';
    }

    private void Tag(int start, char kind)
    {
        var line = LineAt(start);
        var isOutput = kind == '{';
        _tokens.Add(new Token(isOutput ? TokenKind.OutputBegin : TokenKind.BlockBegin, "", line));
        var inside = new ExpressionLexer(_source, _at, line, isOutput ? "}}" : "%}");
        var mark = inside.Run(_tokens);
        _at = inside.Position;
        _tokens.Add(new Token(isOutput ? TokenKind.OutputEnd : TokenKind.BlockEnd, "", inside.Line));
        AfterTag(mark, isOutput);
    }

    /// <summary>Takes a block's single word together with its end.</summary>
    private bool TakeWord(string word)
    {
        var at = SkipSpace(_at);
        if (string.CompareOrdinal(_source, at, word, 0, word.Length) != 0)
            return false;
        at = SkipSpace(at + word.Length);
        var mark = at < _source.Length && _source[at] is '-' or '+' ? _source[at++] : ' ';
        if (string.CompareOrdinal(_source, at, "%}", 0, 2) != 0)
            return false;
        _at = at + 2;
        AfterTag(mark, isOutput: word == "raw");
        return true;
    }

    private void Raw(int start)
    {
        for (var from = _at; ;)
        {
            var tag = _source.IndexOf("{%", from, StringComparison.Ordinal);
            if (tag < 0)
                throw new JinjaError("a raw block is not closed", LineAt(start));
            var text = _source[from..tag];
            var content = _at;
            _at = tag + 2;
            var mark = _at < _source.Length && _source[_at] is '-' or '+' ? _source[_at++] : ' ';
            if (TakeWord("endraw"))
            {
                text = _source[content..tag];
                AddData(mark == '-' ? text.TrimEnd() : mark == '+' ? text : StripIndentation(text));
                return;
            }

            _at = content;
            from = tag + 2;
        }
    }

    private int SkipSpace(int at)
    {
        while (at < _source.Length && char.IsWhiteSpace(_source[at]))
            at++;
        return at;
    }
}
