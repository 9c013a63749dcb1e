using System.Globalization;
using System.Numerics;
using System.Text;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>What may follow <c>|</c>: filters on single values here, on lists in <see cref="ListFilters"/>.</summary>
internal static class Filters
{
    public static JinjaValue Apply(string id, JinjaValue value, CallArguments a)
    {
        a.Budget.Spend(value is JinjaValue.Text { Value.Length: var length } ? length : 0);
        return id switch
        {
            "tojson" => JsonText.ToJson(value, a),
            "default" or "d" => value is JinjaValue.Undefined || (a.Flag(1, "boolean") && !Operators.IsTrue(value))
                ? a.Find(0, "default_value") ?? new JinjaValue.Text("")
                : value,
            "trim" => Text(TextMethods.Strip(Str(value, a), a.TextOrNull(0, "chars"), left: true, right: true)),
            "upper" => Text(Str(value, a).ToUpperInvariant()),
            "lower" => Text(Str(value, a).ToLowerInvariant()),
            "title" => Text(CodePoints.Capitalise(Str(value, a), everyWord: true)),
            "capitalize" => Text(CodePoints.Capitalise(Str(value, a), everyWord: false)),
            "replace" => Text(TextMethods.Replace(Str(value, a), a.Text(0, "old"), a.Text(1, "new"), a.IntOrNull(2, "count") ?? -1, a.Budget)),
            "string" => Text(Str(value, a)),
            "safe" => value,
            "escape" or "e" => Text(Escape(Str(value, a))),
            "indent" => Text(Indent(Str(value, a), a)),
            "int" => ToInt(value, a),
            "float" => ToFloat(value, a),
            "abs" => Operators.Compare("<", value, CallArguments.Number(0), a.Budget) ? Operators.Negate(value) : value,
            "round" => Round(value, a),
            "length" or "count" => Length(value),
            _ => ListFilters.Apply(id, value, a),
        };
    }

    public static string Join(IReadOnlyList<JinjaValue> items, string separator, Budget budget)
    {
        var result = new StringBuilder();
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                result.Append(separator);
            result.Append(ValueText.Str(items[i], budget));
            budget.Spend(separator.Length);
            if (result.Length > 1 << 26)
                budget.Spend(result.Length);
        }

        return budget.Check(result.ToString());
    }

    private static string Str(JinjaValue value, CallArguments a) => ValueText.Str(value, a.Budget);

    private static JinjaValue.Text Text(string text) => new(text);

    private static JinjaValue Length(JinjaValue value) => CallArguments.Number(value switch
    {
        JinjaValue.Text text => CodePoints.Length(text.Value),
        JinjaValue.List list => list.Items.Count,
        JinjaValue.Map map => map.Items.Count,
        JinjaValue.Undefined => 0,
        _ => throw new JinjaError($"{Operators.Describe(value)} has no length"),
    });

    private static string Escape(string text) => new StringBuilder(text)
        .Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;").Replace("'", "&#39;").Replace("\"", "&#34;").ToString();

    private static string Indent(string text, CallArguments a)
    {
        var prefix = a.Find(0, "width") is JinjaValue.Text given
            ? given.Value
            : new string(' ', Math.Clamp(a.IntOrNull(0, "width") ?? 4, 0, 1000));
        var (first, blank) = (a.Flag(1, "first"), a.Flag(2, "blank"));
        var lines = text.Split('\n');
        a.Budget.Spend((long)lines.Length * prefix.Length);
        return string.Join('\n', lines.Select((line, i) => (i == 0 ? first : blank || line.Length > 0) ? prefix + line : line));
    }

    private static JinjaValue ToInt(JinjaValue value, CallArguments a) => value switch
    {
        JinjaValue.Float { Value: var number } when double.IsFinite(number) => new JinjaValue.Int(new BigInteger(Math.Truncate(number))),
        JinjaValue.Text text when Whole(text) is { } number => new JinjaValue.Int(number),
        JinjaValue.Text text when Real(text) is { } number && double.IsFinite(number) => new JinjaValue.Int(new BigInteger(Math.Truncate(number))),
        _ when Operators.Whole(value) is { } number => new JinjaValue.Int(number),
        _ => a.Find(0, "default") ?? CallArguments.Number(0),
    };

    private static JinjaValue ToFloat(JinjaValue value, CallArguments a) => value switch
    {
        JinjaValue.Text text when Real(text) is { } number => new JinjaValue.Float(number),
        _ when Operators.Real(value) is { } number => new JinjaValue.Float(number),
        _ => a.Find(0, "default") ?? new JinjaValue.Float(0),
    };

    private static BigInteger? Whole(JinjaValue.Text text) =>
        text.Value.Length <= 400 && BigInteger.TryParse(text.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    private static double? Real(JinjaValue.Text text) =>
        double.TryParse(text.Value, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static JinjaValue.Float Round(JinjaValue value, CallArguments a)
    {
        var number = Operators.Real(value) ?? throw new JinjaError($"{Operators.Describe(value)} cannot be rounded");
        var scale = Math.Pow(10, Math.Clamp(a.IntOrNull(0, "precision") ?? 0, -15, 15));
        return new JinjaValue.Float((a.TextOrNull(1, "method") ?? "common") switch
        {
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            "common" => Math.Round(number * scale, MidpointRounding.ToEven) / scale,
            var method => throw new JinjaError($"there is no way of rounding \"{method}\""),
        });
    }
}
