namespace ModelDsl.Runtime.Chat.Jinja;

// What follows a value: attributes, subscripts, calls, filters, arguments of tests.
internal sealed partial class ExpressionParser
{
    private Expression Postfix(Expression value)
    {
        for (var links = 0; ; links++)
        {
            CheckChain(links);
            var line = tokens.Line;
            if (tokens.TakeOperator("."))
                value = tokens.Is(TokenKind.Integer)
                    ? new Expression.Item(line, value, Primary())
                    : new Expression.Attribute(line, value, tokens.Name("a name"));
            else if (tokens.TakeOperator("["))
                value = Subscript(line, value);
            else if (tokens.TakeOperator("("))
                value = new Expression.Call(line, value, ParseArguments());
            else
                return value;
        }
    }

    private Expression Subscript(int line, Expression value)
    {
        Expression? start = null, stop = null, step = null;
        if (!tokens.Is(TokenKind.Operator, ":"))
        {
            start = Parse();
            if (tokens.TakeOperator("]"))
                return new Expression.Item(line, value, start);
        }

        tokens.Expect(TokenKind.Operator, ":");
        if (!tokens.Is(TokenKind.Operator, ":") && !tokens.Is(TokenKind.Operator, "]"))
            stop = Parse();
        if (tokens.TakeOperator(":") && !tokens.Is(TokenKind.Operator, "]"))
            step = Parse();
        tokens.Expect(TokenKind.Operator, "]");
        return new Expression.Slice(line, value, start, stop, step);
    }

    private Expression Filters(Expression value)
    {
        for (var links = 0; ; links++)
        {
            CheckChain(links);
            var line = tokens.Line;
            if (tokens.TakeOperator("|"))
            {
                var name = tokens.Name("the name of a filter");
                value = new Expression.Filter(line, value, name, tokens.TakeOperator("(") ? ParseArguments() : Arguments.None);
            }
            else if (tokens.TakeName("is"))
            {
                var negated = tokens.TakeName("not");
                var name = tokens.Name("the name of a test");
                value = new Expression.Test(line, value, name, TestArguments(), negated);
            }
            else if (tokens.TakeOperator("("))
            {
                value = new Expression.Call(line, value, ParseArguments());
            }
            else
            {
                return value;
            }
        }
    }

    /// <summary>A test takes its arguments in parentheses, or a single one without.</summary>
    private Arguments TestArguments()
    {
        if (tokens.TakeOperator("("))
            return ParseArguments();
        var single = tokens.Current.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float
            || tokens.Current is { Kind: TokenKind.Operator, Text: "[" or "{" }
            || (tokens.Current.Kind == TokenKind.Name && tokens.Current.Text is not ("else" or "or" or "and" or "is" or "if" or "not" or "in"));
        return single ? new Arguments([Postfix(Primary())], []) : Arguments.None;
    }

    private void CheckChain(int links)
    {
        if (links > MaxChain)
            throw tokens.Error($"an expression of more than {MaxChain} links");
    }
}
