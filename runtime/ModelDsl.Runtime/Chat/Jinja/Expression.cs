namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>The syntax tree of an expression.</summary>
internal abstract record Expression(int Line)
{
    public sealed record Constant(int Line, JinjaValue Value) : Expression(Line);

    public sealed record Name(int Line, string Id) : Expression(Line);

    public sealed record ListOf(int Line, IReadOnlyList<Expression> Items, bool IsTuple) : Expression(Line);

    public sealed record MapOf(int Line, IReadOnlyList<(Expression Key, Expression Value)> Items) : Expression(Line);

    /// <summary><c>object.name</c></summary>
    public sealed record Attribute(int Line, Expression Object, string Id) : Expression(Line);

    /// <summary><c>object[key]</c></summary>
    public sealed record Item(int Line, Expression Object, Expression Key) : Expression(Line);

    /// <summary><c>object[start:stop:step]</c></summary>
    public sealed record Slice(int Line, Expression Object, Expression? Start, Expression? Stop, Expression? Step) : Expression(Line);

    public sealed record Call(int Line, Expression Function, Arguments Arguments) : Expression(Line);

    /// <summary><c>object|name(…)</c></summary>
    public sealed record Filter(int Line, Expression Object, string Id, Arguments Arguments) : Expression(Line);

    /// <summary><c>object is name(…)</c></summary>
    public sealed record Test(int Line, Expression Object, string Id, Arguments Arguments, bool Negated) : Expression(Line);

    /// <summary><c>- operand</c>, <c>+ operand</c>, <c>not operand</c></summary>
    public sealed record Unary(int Line, string Operator, Expression Operand) : Expression(Line);

    /// <summary>Arithmetic, <c>~</c>, <c>and</c>, <c>or</c>.</summary>
    public sealed record Binary(int Line, string Operator, Expression Left, Expression Right) : Expression(Line);

    /// <summary><c>a &lt; b &lt;= c</c>: every neighbouring pair must hold.</summary>
    public sealed record Compare(int Line, Expression First, IReadOnlyList<(string Operator, Expression Operand)> Rest) : Expression(Line);

    /// <summary><c>then if condition else otherwise</c></summary>
    public sealed record Conditional(int Line, Expression Condition, Expression Then, Expression? Otherwise) : Expression(Line);
}

/// <summary>Arguments of a call as written.</summary>
internal sealed record Arguments(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named)
{
    public static Arguments None { get; } = new([], []);
}
