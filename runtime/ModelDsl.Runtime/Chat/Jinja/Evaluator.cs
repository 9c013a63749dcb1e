using System.Runtime.CompilerServices;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>Works out expressions.</summary>
internal sealed class Evaluator(Budget budget)
{
    /// <summary>The line of what is being worked out, for whoever reports an error.</summary>
    public int Line { get; set; } = 1;

    public JinjaValue Evaluate(Expression expression, Scope scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        budget.Spend();
        Line = expression.Line;
        return expression switch
        {
            Expression.Constant e => e.Value,
            Expression.Name e => scope.Find(e.Id),
            Expression.ListOf e => List(e, scope),
            Expression.MapOf e => Map(e, scope),
            Expression.Attribute e => Members.Attribute(Evaluate(e.Object, scope), e.Id),
            Expression.Item e => Members.Item(Evaluate(e.Object, scope), Evaluate(e.Key, scope), budget),
            Expression.Slice e => Slice(e, scope),
            Expression.Call e => Call(e, scope),
            Expression.Filter e => Filters.Apply(e.Id, Evaluate(e.Object, scope), Arguments($"the filter \"{e.Id}\"", e.Arguments, scope)),
            Expression.Test e => JinjaValue.Bool.Of(
                Tests.Apply(e.Id, Evaluate(e.Object, scope), Arguments($"the test \"{e.Id}\"", e.Arguments, scope)) != e.Negated),
            Expression.Unary e => Unary(e, scope),
            Expression.Binary e => Binary(e, scope),
            Expression.Compare e => Compare(e, scope),
            Expression.Conditional e => Operators.IsTrue(Evaluate(e.Condition, scope)) ? Evaluate(e.Then, scope)
                : e.Otherwise is null ? new JinjaValue.Undefined("the value of an \"if\" without \"else\"")
                : Evaluate(e.Otherwise, scope),
            _ => throw new InvalidOperationException($"no evaluation for {expression.GetType().Name}"),
        };
    }

    public bool IsTrue(Expression expression, Scope scope) => Operators.IsTrue(Evaluate(expression, scope));

    private JinjaValue.List List(Expression.ListOf e, Scope scope)
    {
        budget.MakeTable();
        return new JinjaValue.List([.. e.Items.Select(i => Evaluate(i, scope))], e.IsTuple);
    }

    private JinjaValue.Map Map(Expression.MapOf e, Scope scope)
    {
        budget.MakeTable();
        var items = new OrderedDictionary<JinjaValue, JinjaValue>();
        foreach (var (key, value) in e.Items)
        {
            var name = Evaluate(key, scope);
            if (name is JinjaValue.List or JinjaValue.Map or JinjaValue.Undefined)
                throw new JinjaError($"{Operators.Describe(name)} cannot be a key");
            items[name] = Evaluate(value, scope);
        }

        return new JinjaValue.Map(items);
    }

    private JinjaValue Slice(Expression.Slice e, Scope scope)
    {
        return Members.Slice(Evaluate(e.Object, scope), Bound(e.Start), Bound(e.Stop), Bound(e.Step), budget);

        int? Bound(Expression? bound) => bound is null ? null : Evaluate(bound, scope) switch
        {
            JinjaValue.None => null,
            // Beyond a billion, every bound means the end of the list or text.
            var value when Operators.Whole(value) is { } number => number > 1 << 30 ? 1 << 30 : number < -(1 << 30) ? -(1 << 30) : (int)number,
            var value => throw new JinjaError($"{Operators.Describe(value)} cannot bound a slice"),
        };
    }

    private JinjaValue Call(Expression.Call e, Scope scope)
    {
        if (Evaluate(e.Function, scope) is var callee && callee is not JinjaValue.Function)
            throw new JinjaError($"{Operators.Describe(callee)} cannot be called");
        var function = (JinjaValue.Function)callee;
        var arguments = Arguments(function.Name, e.Arguments, scope);
        Line = e.Line;
        return function.Body(arguments);
    }

    private CallArguments Arguments(string function, Arguments arguments, Scope scope)
    {
        budget.MakeTable();
        var named = new Dictionary<string, JinjaValue>();
        var positional = new List<JinjaValue>();
        foreach (var argument in arguments.Positional)
            positional.Add(Evaluate(argument, scope));
        foreach (var (name, value) in arguments.Named)
            if (!named.TryAdd(name, Evaluate(value, scope)))
                throw new JinjaError($"{function} gets the argument \"{name}\" twice");
        return new CallArguments(function, positional, named, budget);
    }

    private JinjaValue Unary(Expression.Unary e, Scope scope)
    {
        var operand = Evaluate(e.Operand, scope);
        return e.Operator switch
        {
            "not" => JinjaValue.Bool.Of(!Operators.IsTrue(operand)),
            "-" => Operators.Negate(operand),
            _ => Operators.Negate(Operators.Negate(operand)),
        };
    }

    private JinjaValue Binary(Expression.Binary e, Scope scope)
    {
        var left = Evaluate(e.Left, scope);
        if (e.Operator is "and" or "or")
            return Operators.IsTrue(left) == (e.Operator == "or") ? left : Evaluate(e.Right, scope);
        var right = Evaluate(e.Right, scope);
        Line = e.Line;
        return Operators.Binary(e.Operator, left, right, budget);
    }

    private JinjaValue Compare(Expression.Compare e, Scope scope)
    {
        var left = Evaluate(e.First, scope);
        foreach (var (op, operand) in e.Rest)
        {
            var right = Evaluate(operand, scope);
            if (!Operators.Compare(op, left, right, budget))
                return JinjaValue.Bool.False;
            left = right;
        }

        return JinjaValue.Bool.True;
    }
}
