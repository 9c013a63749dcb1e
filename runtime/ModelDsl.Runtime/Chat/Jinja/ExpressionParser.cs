using System.Globalization;
using System.Numerics;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>Parses expressions with Jinja's precedence: conditional, or, and, not, comparison, sum, "~", product, power, sign.</summary>
internal sealed partial class ExpressionParser(TokenStream tokens)
{
    // Every nesting level passes through all precedence levels, so this also bounds the stack.
    private const int MaxDepth = 100;
    private const int MaxChain = 1000;

    private int _depth;

    /// <summary>An expression, or a tuple of them without parentheses.</summary>
    public Expression ParseTuple()
    {
        var line = tokens.Line;
        var first = Parse();
        if (!tokens.Is(TokenKind.Operator, ","))
            return first;
        var items = new List<Expression> { first };
        while (tokens.TakeOperator(",") && !tokens.Is(TokenKind.BlockEnd) && !tokens.Is(TokenKind.OutputEnd))
            items.Add(Parse());
        return new Expression.ListOf(line, items, IsTuple: true);
    }

    /// <param name="withConditional">Off inside <c>for … in items if filter</c>, where "if" means something else.</param>
    public Expression Parse(bool withConditional = true)
    {
        if (++_depth > MaxDepth)
            throw tokens.Error($"expressions nested deeper than {MaxDepth}");
        var line = tokens.Line;
        var value = Or();
        for (var links = 0; withConditional && tokens.TakeName("if"); links++)
        {
            CheckChain(links);
            var condition = Or();
            value = new Expression.Conditional(line, condition, value, tokens.TakeName("else") ? Parse() : null);
        }

        _depth--;
        return value;
    }

    /// <summary>Arguments in parentheses, the opening one already taken.</summary>
    public Arguments ParseArguments()
    {
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        while (!tokens.TakeOperator(")"))
        {
            if (positional.Count + named.Count > 0)
                tokens.Expect(TokenKind.Operator, ",");
            if (tokens.TakeOperator(")"))
                break;
            if (tokens.Is(TokenKind.Name) && tokens.Ahead is { Kind: TokenKind.Operator, Text: "=" })
            {
                var name = tokens.Take().Text;
                tokens.Take();
                named.Add((name, Parse()));
            }
            else if (named.Count > 0)
            {
                throw tokens.Error("an argument without a name follows one with a name");
            }
            else
            {
                positional.Add(Parse());
            }
        }

        return new Arguments(positional, named);
    }

    private Expression Or() => Chain(And, isName: true, "or");

    private Expression And() => Chain(Not, isName: true, "and");

    private Expression Not()
    {
        var line = tokens.Line;
        var negations = 0;
        while (tokens.IsName("not"))
        {
            tokens.Take();
            negations++;
        }

        var value = Comparison();
        return negations == 0 ? value
            : negations % 2 == 1 ? new Expression.Unary(line, "not", value)
            : new Expression.Unary(line, "not", new Expression.Unary(line, "not", value));
    }

    private Expression Comparison()
    {
        var line = tokens.Line;
        var first = Sum();
        var rest = new List<(string, Expression)>();
        while (ComparisonOperator() is { } op)
            rest.Add((op, Sum()));
        return rest.Count == 0 ? first : new Expression.Compare(line, first, rest);
    }

    private string? ComparisonOperator()
    {
        if (tokens.Current is { Kind: TokenKind.Operator, Text: "==" or "!=" or "<" or "<=" or ">" or ">=" })
            return tokens.Take().Text;
        if (tokens.TakeName("in"))
            return "in";
        if (!tokens.IsName("not") || tokens.Ahead is not { Kind: TokenKind.Name, Text: "in" })
            return null;
        tokens.Take();
        tokens.Take();
        return "not in";
    }

    private Expression Sum() => Chain(Concatenation, isName: false, "+", "-");

    private Expression Concatenation() => Chain(Product, isName: false, "~");

    private Expression Product() => Chain(Power, isName: false, "*", "/", "//", "%");

    private Expression Power() => Chain(() => Signed(withFilters: true), isName: false, "**");

    private Expression Chain(Func<Expression> operand, bool isName, params ReadOnlySpan<string> operators)
    {
        var line = tokens.Line;
        var left = operand();
        var kind = isName ? TokenKind.Name : TokenKind.Operator;
        for (var links = 0; tokens.Is(kind) && operators.Contains(tokens.Current.Text); links++)
        {
            CheckChain(links);
            left = new Expression.Binary(line, tokens.Take().Text, left, operand());
        }

        return left;
    }

    private Expression Signed(bool withFilters)
    {
        var line = tokens.Line;
        if (tokens.Current is { Kind: TokenKind.Operator, Text: "-" or "+" })
        {
            if (++_depth > MaxDepth)
                throw tokens.Error($"expressions nested deeper than {MaxDepth}");
            var sign = new Expression.Unary(line, tokens.Take().Text, Signed(withFilters: false));
            _depth--;
            return withFilters ? Filters(sign) : sign;
        }

        var value = Postfix(Primary());
        return withFilters ? Filters(value) : value;
    }

    private Expression Primary()
    {
        var token = tokens.Take();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return token.Text switch
                {
                    "true" or "True" => new Expression.Constant(token.Line, JinjaValue.Bool.True),
                    "false" or "False" => new Expression.Constant(token.Line, JinjaValue.Bool.False),
                    "none" or "None" => new Expression.Constant(token.Line, JinjaValue.None.Instance),
                    _ => new Expression.Name(token.Line, token.Text),
                };
            case TokenKind.String:
                var text = token.Text;
                while (tokens.Is(TokenKind.String))
                    text += tokens.Take().Text;
                return new Expression.Constant(token.Line, new JinjaValue.Text(text));
            case TokenKind.Integer when token.Text.Length <= 100:
                return new Expression.Constant(token.Line, new JinjaValue.Int(BigInteger.Parse(token.Text, CultureInfo.InvariantCulture)));
            case TokenKind.Float when double.TryParse(token.Text, CultureInfo.InvariantCulture, out var number):
                return new Expression.Constant(token.Line, new JinjaValue.Float(number));
            case TokenKind.Operator when token.Text == "(":
                return Parenthesised(token.Line);
            case TokenKind.Operator when token.Text == "[":
                return new Expression.ListOf(token.Line, Items("]"), IsTuple: false);
            case TokenKind.Operator when token.Text == "{":
                return Map(token.Line);
            default:
                throw new JinjaError($"a value is missing{(token.Text.Length > 0 ? $" before \"{token.Text}\"" : "")}", token.Line);
        }
    }

    private Expression Parenthesised(int line)
    {
        if (tokens.TakeOperator(")"))
            return new Expression.ListOf(line, [], IsTuple: true);
        var first = Parse();
        if (tokens.TakeOperator(")"))
            return first;
        tokens.Expect(TokenKind.Operator, ",");
        return new Expression.ListOf(line, [first, .. Items(")")], IsTuple: true);
    }

    private List<Expression> Items(string close)
    {
        var items = new List<Expression>();
        while (!tokens.TakeOperator(close))
        {
            if (items.Count > 0)
                tokens.Expect(TokenKind.Operator, ",");
            if (tokens.TakeOperator(close))
                break;
            items.Add(Parse());
        }

        return items;
    }

    private Expression.MapOf Map(int line)
    {
        var items = new List<(Expression, Expression)>();
        while (!tokens.TakeOperator("}"))
        {
            if (items.Count > 0)
                tokens.Expect(TokenKind.Operator, ",");
            if (tokens.TakeOperator("}"))
                break;
            var key = Parse();
            tokens.Expect(TokenKind.Operator, ":");
            items.Add((key, Parse()));
        }

        return new Expression.MapOf(line, items);
    }
}
