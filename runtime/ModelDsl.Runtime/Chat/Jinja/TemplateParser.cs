namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>Parses a template into statements.</summary>
internal sealed class TemplateParser
{
    private const int MaxDepth = 100;
    private const int LongestTemplate = 1 << 20;

    private readonly TokenStream _tokens;
    private readonly ExpressionParser _expressions;
    private int _depth;

    private TemplateParser(string source)
    {
        _tokens = new TokenStream(Lexer.Tokenize(source));
        _expressions = new ExpressionParser(_tokens);
    }

    /// <exception cref="JinjaError">The template is malformed or uses something not supported.</exception>
    public static IReadOnlyList<Statement> Parse(string source)
    {
        if (source.Length > LongestTemplate)
            throw new JinjaError($"a template of more than {LongestTemplate} characters", 1);
        var parser = new TemplateParser(source);
        var body = parser.Body(out _);
        return body;
    }

    /// <summary>Statements up to a block tag with one of the given names, which is taken up to and including the name.</summary>
    private List<Statement> Body(out string end, params string[] ends)
    {
        if (++_depth > MaxDepth)
            throw _tokens.Error($"blocks nested deeper than {MaxDepth}");
        var line = _tokens.Line;
        var body = new List<Statement>();
        while (!_tokens.Is(TokenKind.End))
        {
            var token = _tokens.Take();
            if (token.Kind == TokenKind.Data)
            {
                body.Add(new Statement.Text(token.Line, token.Text));
                continue;
            }

            if (token.Kind == TokenKind.OutputBegin)
            {
                body.Add(new Statement.Output(token.Line, _expressions.ParseTuple()));
                _tokens.Expect(TokenKind.OutputEnd, "");
                continue;
            }

            var name = _tokens.Name("a block's name");
            if (ends.Contains(name))
            {
                _depth--;
                end = name;
                return body;
            }

            Block(token.Line, name, body);
        }

        if (ends.Length > 0)
            throw new JinjaError($"a block is not closed: \"{ends[^1]}\" is missing", line);
        _depth--;
        end = "";
        return body;
    }

    private void Block(int line, string name, List<Statement> body)
    {
        switch (name)
        {
            case "if":
                body.Add(If(line));
                break;
            case "for":
                body.Add(For(line));
                break;
            case "set":
                body.Add(Set(line));
                break;
            case "macro":
                body.Add(Macro(line));
                break;
            case "with":
                body.Add(With(line));
                break;
            case "generation":
                // Marks what the assistant wrote, for training masks; the text is the same.
                EndOfTag();
                body.AddRange(Inside("endgeneration"));
                break;
            case "break":
                EndOfTag();
                body.Add(new Statement.Break(line));
                break;
            case "continue":
                EndOfTag();
                body.Add(new Statement.Continue(line));
                break;
            default:
                throw new JinjaError($"the block \"{name}\" is not supported here", line);
        }
    }

    private Statement.If If(int line)
    {
        var condition = _expressions.ParseTuple();
        EndOfTag();
        var then = Body(out var end, "elif", "else", "endif");
        List<Statement> otherwise = [];
        if (end == "elif")
        {
            // Every further branch nests one deeper, in the tree and on the stack.
            if (++_depth > MaxDepth)
                throw _tokens.Error($"blocks nested deeper than {MaxDepth}");
            otherwise = [If(_tokens.Line)];
            _depth--;
            return new Statement.If(line, condition, then, otherwise);
        }

        EndOfTag();
        if (end == "else")
            otherwise = Inside("endif");
        return new Statement.If(line, condition, then, otherwise);
    }

    private Statement.For For(int line)
    {
        var targets = Targets();
        if (!_tokens.TakeName("in"))
            throw _tokens.Error("\"in\" is missing");
        var items = _expressions.Parse(withConditional: false);
        var filter = _tokens.TakeName("if") ? _expressions.Parse() : null;
        if (_tokens.IsName("recursive"))
            throw _tokens.Error("recursive loops are not supported");
        EndOfTag();
        var body = Body(out var end, "else", "endfor");
        EndOfTag();
        var otherwise = end == "else" ? Inside("endfor") : [];
        return new Statement.For(line, targets, items, filter, body, otherwise);
    }

    private Statement Set(int line)
    {
        if (_tokens.Ahead is { Kind: TokenKind.Operator, Text: "." })
        {
            var space = _tokens.Name("a name");
            _tokens.Take();
            var id = _tokens.Name("a name");
            _tokens.Expect(TokenKind.Operator, "=");
            var attribute = _expressions.ParseTuple();
            EndOfTag();
            return new Statement.SetAttribute(line, space, id, attribute);
        }

        var targets = Targets();
        if (_tokens.TakeOperator("="))
        {
            var value = _expressions.ParseTuple();
            EndOfTag();
            return new Statement.Set(line, targets, value);
        }

        if (targets.Count != 1)
            throw _tokens.Error("a block sets one variable only");
        EndOfTag();
        return new Statement.SetBlock(line, targets[0], Inside("endset"));
    }

    private Statement.Macro Macro(int line)
    {
        var name = _tokens.Name("the macro's name");
        _tokens.Expect(TokenKind.Operator, "(");
        var parameters = new List<(string, Expression?)>();
        while (!_tokens.TakeOperator(")"))
        {
            if (parameters.Count > 0)
                _tokens.Expect(TokenKind.Operator, ",");
            var parameter = _tokens.Name("a parameter's name");
            parameters.Add((parameter, _tokens.TakeOperator("=") ? _expressions.Parse() : null));
        }

        EndOfTag();
        return new Statement.Macro(line, name, parameters, Inside("endmacro"));
    }

    private Statement.With With(int line)
    {
        var variables = new List<(string, Expression)>();
        while (!_tokens.Is(TokenKind.BlockEnd))
        {
            if (variables.Count > 0)
                _tokens.Expect(TokenKind.Operator, ",");
            var name = _tokens.Name("a name");
            _tokens.Expect(TokenKind.Operator, "=");
            variables.Add((name, _expressions.Parse()));
        }

        EndOfTag();
        return new Statement.With(line, variables, Inside("endwith"));
    }

    private List<string> Targets()
    {
        var parenthesised = _tokens.TakeOperator("(");
        var targets = new List<string> { _tokens.Name("a variable's name") };
        while (_tokens.TakeOperator(","))
            targets.Add(_tokens.Name("a variable's name"));
        if (parenthesised)
            _tokens.Expect(TokenKind.Operator, ")");
        return targets;
    }

    private List<Statement> Inside(string end)
    {
        var body = Body(out _, end);
        EndOfTag();
        return body;
    }

    private void EndOfTag() => _tokens.Expect(TokenKind.BlockEnd, "");
}
