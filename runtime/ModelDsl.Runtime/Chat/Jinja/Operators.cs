using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>Truth, equality, order, membership and arithmetic, as Python has them.</summary>
internal static class Operators
{
    private const int MostBits = 4096;

    public static bool IsTrue(JinjaValue value) => value switch
    {
        JinjaValue.None or JinjaValue.Undefined => false,
        JinjaValue.Bool b => b.Value,
        JinjaValue.Int i => !i.Value.IsZero,
        JinjaValue.Float f => f.Value != 0,
        JinjaValue.Text t => t.Value.Length > 0,
        JinjaValue.List l => l.Items.Count > 0,
        JinjaValue.Map m => m.Items.Count > 0,
        _ => true,
    };

    public static bool AreEqual(JinjaValue a, JinjaValue b, Budget budget)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        budget.Spend(a is JinjaValue.Text text ? text.Value.Length : 0);
        return (a, b) switch
        {
            (JinjaValue.Undefined, JinjaValue.Undefined) => true,
            (JinjaValue.Text x, JinjaValue.Text y) => x.Value == y.Value,
            (JinjaValue.List x, JinjaValue.List y) =>
                x.IsTuple == y.IsTuple && x.Items.Count == y.Items.Count && x.Items.Zip(y.Items).All(p => AreEqual(p.First, p.Second, budget)),
            (JinjaValue.Map x, JinjaValue.Map y) =>
                x.Items.Count == y.Items.Count && x.Items.All(p => y.Items.TryGetValue(p.Key, out var other) && AreEqual(p.Value, other, budget)),
            _ when Whole(a) is { } x && Whole(b) is { } y => x == y,
            _ when Real(a) is { } x && Real(b) is { } y => x == y,
            (JinjaValue.None, JinjaValue.None) => true,
            _ => ReferenceEquals(a, b),
        };
    }

    /// <summary>Negative, zero or positive as <paramref name="a"/> comes before, with or after <paramref name="b"/>.</summary>
    public static int Order(JinjaValue a, JinjaValue b, Budget budget)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        budget.Spend(a is JinjaValue.Text text ? text.Value.Length : 0);
        if (a is JinjaValue.Text x && b is JinjaValue.Text y)
            return CodePoints.Compare(x.Value, y.Value);
        if (Whole(a) is { } i && Whole(b) is { } j)
            return i.CompareTo(j);
        if (Real(a) is { } f && Real(b) is { } g)
            return f.CompareTo(g);
        if (a is not JinjaValue.List l || b is not JinjaValue.List m)
            throw new JinjaError($"{Describe(a)} and {Describe(b)} have no order");
        foreach (var (left, right) in l.Items.Zip(m.Items))
            if (!AreEqual(left, right, budget))
                return Order(left, right, budget);
        return l.Items.Count.CompareTo(m.Items.Count);
    }

    /// <summary>Stable; equal keys keep their order even when reversed.</summary>
    public static List<T> Sort<T>(IEnumerable<T> items, Func<T, JinjaValue> key, bool reverse, Budget budget)
    {
        var order = Comparer<JinjaValue>.Create((x, y) => reverse ? Order(y, x, budget) : Order(x, y, budget));
        try
        {
            return [.. items.OrderBy(key, order)];
        }
        catch (InvalidOperationException e) when (e.InnerException is JinjaError or InsufficientExecutionStackException)
        {
            // Sorting wraps what a comparison throws.
            throw e.InnerException;
        }
    }

    public static bool Compare(string op, JinjaValue a, JinjaValue b, Budget budget) => op switch
    {
        "==" => AreEqual(a, b, budget),
        "!=" => !AreEqual(a, b, budget),
        "in" => Contains(b, a, budget),
        "not in" => !Contains(b, a, budget),
        "<" => Order(a, b, budget) < 0,
        "<=" => Order(a, b, budget) <= 0,
        ">" => Order(a, b, budget) > 0,
        _ => Order(a, b, budget) >= 0,
    };

    public static bool Contains(JinjaValue container, JinjaValue item, Budget budget) => (container, item) switch
    {
        (JinjaValue.Text text, JinjaValue.Text part) => budget.Check(text.Value).Contains(part.Value, StringComparison.Ordinal),
        (JinjaValue.List list, _) => list.Items.Any(i => AreEqual(i, item, budget)),
        (JinjaValue.Map map, _) => map.Items.ContainsKey(item),
        (JinjaValue.Undefined, _) => false,
        _ => throw new JinjaError($"{Describe(container)} cannot contain {Describe(item)}"),
    };

    public static JinjaValue Binary(string op, JinjaValue a, JinjaValue b, Budget budget)
    {
        switch (op, a, b)
        {
            case ("~", _, _):
                return new JinjaValue.Text(budget.Check(ValueText.Str(a, budget) + ValueText.Str(b, budget)));
            case ("+", JinjaValue.Text x, JinjaValue.Text y):
                budget.Spend((long)x.Value.Length + y.Value.Length);
                return new JinjaValue.Text(x.Value + y.Value);
            case ("+", JinjaValue.List x, JinjaValue.List y) when x.IsTuple == y.IsTuple:
                budget.Spend((long)x.Items.Count + y.Items.Count);
                return new JinjaValue.List([.. x.Items, .. y.Items], x.IsTuple);
            case ("*", JinjaValue.Text text, _) when Whole(b) is { } count:
                return new JinjaValue.Text(Repeat(text.Value, count, budget));
            case ("*", _, JinjaValue.Text text) when Whole(a) is { } count:
                return new JinjaValue.Text(Repeat(text.Value, count, budget));
        }

        return Whole(a) is { } i && Whole(b) is { } j ? Arithmetic(op, i, j)
            : Real(a) is { } f && Real(b) is { } g ? new JinjaValue.Float(Arithmetic(op, f, g))
            : throw new JinjaError($"\"{op}\" cannot be used between {Describe(a)} and {Describe(b)}");
    }

    public static JinjaValue Negate(JinjaValue value) => value switch
    {
        JinjaValue.Float f => new JinjaValue.Float(-f.Value),
        _ when Whole(value) is { } i => new JinjaValue.Int(-i),
        _ => throw new JinjaError($"{Describe(value)} has no negative"),
    };

    public static BigInteger? Whole(JinjaValue value) => value switch
    {
        JinjaValue.Int i => i.Value,
        JinjaValue.Bool b => b.Value ? BigInteger.One : BigInteger.Zero,
        _ => null,
    };

    public static double? Real(JinjaValue value) => value is JinjaValue.Float f ? f.Value : (double?)Whole(value);

    /// <summary>What kind of value it is, for messages.</summary>
    public static string Describe(JinjaValue value) => value switch
    {
        JinjaValue.None => "none",
        JinjaValue.Undefined { Key: { } key } u => $"{u.What} {DescribeKey(key)} (undefined)",
        JinjaValue.Undefined u => u.IsName ? $"\"{u.What}\" (undefined)" : $"{u.What} (undefined)",
        JinjaValue.Bool => "true or false",
        JinjaValue.Int or JinjaValue.Float => "a number",
        JinjaValue.Text => "a string",
        JinjaValue.List => "a list",
        JinjaValue.Map => "a mapping",
        JinjaValue.Function f => $"the function {f.Name}",
        JinjaValue.Loop => "the loop variable",
        _ => "a namespace",
    };

    private static string DescribeKey(JinjaValue key) => key switch
    {
        JinjaValue.Text or JinjaValue.Int or JinjaValue.Float or JinjaValue.Bool or JinjaValue.None => ValueText.Str(key, new Budget()),
        _ => $"at {Describe(key)}",
    };

    private static string Repeat(string text, BigInteger count, Budget budget)
    {
        if (count <= 0 || text.Length == 0)
            return "";
        budget.Spend((long)BigInteger.Min(count * text.Length, long.MaxValue));
        // In one piece: a builder would make it twice, and only one is paid for.
        return string.Create((int)count * text.Length, text, (characters, part) =>
        {
            for (int at = 0; at < characters.Length; at += part.Length) part.CopyTo(characters[at..]);
        });
    }

    private static JinjaValue Arithmetic(string op, BigInteger a, BigInteger b)
    {
        if (op is "/" or "//" or "%" && b.IsZero)
            throw new JinjaError("a division by zero");
        if (op == "/")
            return new JinjaValue.Float((double)a / (double)b);
        if (op == "**" && b.Sign < 0)
            return new JinjaValue.Float(Math.Pow((double)a, (double)b));
        if (op == "**" && Math.Max(1, a.GetBitLength()) * b > MostBits)
            throw new JinjaError("a number is too large");
        var result = op switch
        {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "//" => FloorDivide(a, b),
            "%" => a - (b * FloorDivide(a, b)),
            _ => BigInteger.Pow(a, (int)b),
        };
        return result.GetBitLength() <= MostBits ? new JinjaValue.Int(result) : throw new JinjaError("a number is too large");
    }

    private static BigInteger FloorDivide(BigInteger a, BigInteger b)
    {
        var quotient = BigInteger.DivRem(a, b, out var remainder);
        return remainder.IsZero || remainder.Sign == b.Sign ? quotient : quotient - 1;
    }

    private static double Arithmetic(string op, double a, double b)
    {
        if (op is "/" or "//" or "%" && b == 0)
            throw new JinjaError("a division by zero");
        return op switch
        {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "/" => a / b,
            "//" => Math.Floor(a / b),
            "%" => a - (b * Math.Floor(a / b)),
            _ => Math.Pow(a, b),
        };
    }
}
