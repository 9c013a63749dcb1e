using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>How values are written: <c>str</c> for output, <c>repr</c> inside lists, numbers as Python writes them.</summary>
internal static class ValueText
{
    public static string Str(JinjaValue value, Budget budget)
    {
        switch (value)
        {
            case JinjaValue.Text text:
                return text.Value;
            case JinjaValue.Undefined:
                return "";
            default:
                var output = new StringBuilder();
                WriteRepr(output, value, budget);
                return output.ToString();
        }
    }

    /// <summary>The shortest digits that read back as the same number, in Python's layout.</summary>
    public static string Number(double value)
    {
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        if (value == 0)
            return double.IsNegative(value) ? "-0.0" : "0.0";
        var text = value.ToString("E16", CultureInfo.InvariantCulture);
        for (var precision = 0; precision <= 16; precision++)
        {
            text = value.ToString($"E{precision}", CultureInfo.InvariantCulture);
            if (double.Parse(text, CultureInfo.InvariantCulture) == value)
                break;
        }

        var sign = text[0] == '-' ? "-" : "";
        var mark = text.IndexOf('E', StringComparison.Ordinal);
        var digits = text[sign.Length..mark].Replace(".", "", StringComparison.Ordinal);
        return sign + Layout(digits, int.Parse(text.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
    }

    public static void WriteRepr(StringBuilder output, JinjaValue value, Budget budget)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        budget.Spend(output.Length > Budget.LongestText ? output.Length : 0);
        switch (value)
        {
            case JinjaValue.None:
                output.Append("None");
                break;
            case JinjaValue.Undefined:
                output.Append("Undefined");
                break;
            case JinjaValue.Bool flag:
                output.Append(flag.Value ? "True" : "False");
                break;
            case JinjaValue.Int number:
                // Digits cost more than characters that are only copied.
                budget.Spend(number.Value.GetBitLength());
                output.Append(number.Value.ToString(CultureInfo.InvariantCulture));
                break;
            case JinjaValue.Float number:
                output.Append(Number(number.Value));
                break;
            case JinjaValue.Text text:
                budget.Spend(text.Value.Length);
                WriteQuoted(output, text.Value);
                break;
            case JinjaValue.List list:
                output.Append(list.IsTuple ? '(' : '[');
                WriteAll(output, list.Items, item => WriteRepr(output, item, budget));
                output.Append(list.IsTuple ? list.Items.Count == 1 ? ",)" : ")" : "]");
                break;
            case JinjaValue.Map map:
                output.Append('{');
                WriteAll(output, map.Items, item =>
                {
                    WriteRepr(output, item.Key, budget);
                    output.Append(": ");
                    WriteRepr(output, item.Value, budget);
                });
                output.Append('}');
                break;
            default:
                output.Append('<').Append(Operators.Describe(value)).Append('>');
                break;
        }
    }

    public static void WriteAll<T>(StringBuilder output, IEnumerable<T> items, Action<T> write)
    {
        var first = true;
        foreach (var item in items)
        {
            if (!first)
                output.Append(", ");
            first = false;
            write(item);
        }
    }

    public static JinjaValue Parse(string text) =>
        BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
            ? new JinjaValue.Int(whole)
            : new JinjaValue.Float(double.Parse(text, CultureInfo.InvariantCulture));

    private static string Layout(string digits, int exponent)
    {
        digits = digits.TrimEnd('0') is { Length: > 0 } kept ? kept : "0";
        if (exponent is < -4 or >= 16)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
        }

        if (exponent < 0)
            return "0." + new string('0', -exponent - 1) + digits;
        var whole = exponent + 1;
        return digits.Length > whole ? $"{digits[..whole]}.{digits[whole..]}" : digits.PadRight(whole, '0') + ".0";
    }

    private static void WriteQuoted(StringBuilder output, string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        output.Append(quote);
        foreach (var c in text)
        {
            _ = c switch
            {
                '\n' => output.Append("\\n"),
                '\r' => output.Append("\\r"),
                '\t' => output.Append("\\t"),
                '\\' => output.Append("\\\\"),
                _ when c == quote => output.Append('\\').Append(c),
                < ' ' or '\x7F' => output.Append("\\x").Append(((int)c).ToString("x2", CultureInfo.InvariantCulture)),
                _ => output.Append(c),
            };
        }

        output.Append(quote);
    }
}
