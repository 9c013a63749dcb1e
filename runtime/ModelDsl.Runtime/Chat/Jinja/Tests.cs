using System.Numerics;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>What may follow <c>is</c>.</summary>
internal static class Tests
{
    public static bool Apply(string id, JinjaValue value, CallArguments arguments) => id switch
    {
        "defined" => value is not JinjaValue.Undefined,
        "undefined" => value is JinjaValue.Undefined,
        "none" => value is JinjaValue.None,
        "string" => value is JinjaValue.Text,
        "mapping" => value is JinjaValue.Map,
        "sequence" => value is JinjaValue.List or JinjaValue.Text or JinjaValue.Map or JinjaValue.Undefined,
        "iterable" => value is JinjaValue.List or JinjaValue.Text or JinjaValue.Map or JinjaValue.Undefined,
        "number" => value is JinjaValue.Int or JinjaValue.Float or JinjaValue.Bool,
        "integer" => value is JinjaValue.Int,
        "float" => value is JinjaValue.Float,
        "boolean" => value is JinjaValue.Bool,
        "true" => value is JinjaValue.Bool { Value: true },
        "false" => value is JinjaValue.Bool { Value: false },
        "callable" => value is JinjaValue.Function,
        "odd" => !Whole(value).IsEven,
        "even" => Whole(value).IsEven,
        "divisibleby" => Whole(arguments.Get(0, "number")) is var by && !by.IsZero
            ? (Whole(value) % by).IsZero
            : throw new JinjaError("a division by zero"),
        "lower" => value is JinjaValue.Text { Value: var text } && text == text.ToLowerInvariant() && text != text.ToUpperInvariant(),
        "upper" => value is JinjaValue.Text { Value: var text } && text == text.ToUpperInvariant() && text != text.ToLowerInvariant(),
        "eq" or "equalto" => Operators.AreEqual(value, arguments.Get(0, "other"), arguments.Budget),
        "ne" => !Operators.AreEqual(value, arguments.Get(0, "other"), arguments.Budget),
        "lt" or "lessthan" => Operators.Order(value, arguments.Get(0, "other"), arguments.Budget) < 0,
        "le" => Operators.Order(value, arguments.Get(0, "other"), arguments.Budget) <= 0,
        "gt" or "greaterthan" => Operators.Order(value, arguments.Get(0, "other"), arguments.Budget) > 0,
        "ge" => Operators.Order(value, arguments.Get(0, "other"), arguments.Budget) >= 0,
        "in" => Operators.Contains(arguments.Get(0, "container"), value, arguments.Budget),
        "sameas" => ReferenceEquals(value, arguments.Get(0, "other"))
            || (value is JinjaValue.None or JinjaValue.Bool && Operators.AreEqual(value, arguments.Get(0, "other"), arguments.Budget)),
        _ => throw new JinjaError($"there is no test \"{id}\""),
    };

    private static BigInteger Whole(JinjaValue value) =>
        Operators.Whole(value) ?? throw new JinjaError($"{Operators.Describe(value)} is no whole number");
}
