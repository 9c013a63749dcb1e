using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>JSON in and out: messages into values, and <c>tojson</c> as Python's <c>json.dumps</c> writes it.</summary>
internal static class JsonText
{
    public static JinjaValue Read(JsonElement json)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return json.ValueKind switch
        {
            JsonValueKind.String => new JinjaValue.Text(json.GetString()!),
            JsonValueKind.Number => ReadNumber(json.GetRawText()),
            JsonValueKind.True => JinjaValue.Bool.True,
            JsonValueKind.False => JinjaValue.Bool.False,
            JsonValueKind.Array => new JinjaValue.List([.. json.EnumerateArray().Select(Read)]),
            JsonValueKind.Object => ReadMap(json),
            _ => JinjaValue.None.Instance,
        };
    }

    /// <summary>The filter <c>tojson(ensure_ascii, indent, separators, sort_keys)</c>; without an indent, all on one line.</summary>
    public static JinjaValue.Text ToJson(JinjaValue value, CallArguments a)
    {
        var indent = a.IntOrNull(1, "indent");
        var (between, colon) = a.Find(2, "separators") switch
        {
            null or JinjaValue.None => (indent is null ? ", " : ",", ": "),
            JinjaValue.List { Items: [JinjaValue.Text first, JinjaValue.Text second] } => (first.Value, second.Value),
            _ => throw new JinjaError("the separators of tojson must be two strings"),
        };
        return new JinjaValue.Text(Write(value, new Style(indent, between, colon, a.Flag(0, "ensure_ascii"), a.Flag(3, "sort_keys")), a.Budget));
    }

    private static string Write(JinjaValue value, Style style, Budget budget)
    {
        var writer = new Writer(style, budget);
        writer.Write(value, 0);
        return budget.Check(writer.Output.ToString());
    }

    private static JinjaValue ReadNumber(string text) =>
        text.AsSpan().IndexOfAny(".eE") < 0 && text.Length <= 400
            ? new JinjaValue.Int(BigInteger.Parse(text, CultureInfo.InvariantCulture))
            : new JinjaValue.Float(double.Parse(text, CultureInfo.InvariantCulture));

    private static JinjaValue.Map ReadMap(JsonElement json)
    {
        var items = new OrderedDictionary<JinjaValue, JinjaValue>();
        foreach (var property in json.EnumerateObject())
            items[new JinjaValue.Text(property.Name)] = Read(property.Value);
        return new JinjaValue.Map(items);
    }

    private sealed record Style(int? Indent, string Between, string Colon, bool AsciiOnly, bool SortKeys);

    private sealed class Writer(Style style, Budget budget)
    {
        public StringBuilder Output { get; } = new();

        public void Write(JinjaValue value, int depth)
        {
            RuntimeHelpers.EnsureSufficientExecutionStack();
            budget.Spend(Output.Length > Budget.LongestText ? Output.Length : depth);
            switch (value)
            {
                case JinjaValue.None:
                    Output.Append("null");
                    break;
                case JinjaValue.Bool flag:
                    Output.Append(flag.Value ? "true" : "false");
                    break;
                case JinjaValue.Int or JinjaValue.Float:
                    Output.Append(Number(value));
                    break;
                case JinjaValue.Text text:
                    WriteString(text.Value);
                    break;
                case JinjaValue.List list:
                    WriteItems('[', ']', list.Items, depth, item => Write(item, depth + 1));
                    break;
                case JinjaValue.Map map:
                    IEnumerable<KeyValuePair<JinjaValue, JinjaValue>> items = map.Items;
                    if (style.SortKeys)
                        items = Operators.Sort(map.Items, i => i.Key, reverse: false, budget);
                    WriteItems('{', '}', [.. items], depth, item =>
                    {
                        WriteString(Key(item.Key));
                        Output.Append(style.Colon);
                        Write(item.Value, depth + 1);
                    });
                    break;
                default:
                    throw new JinjaError($"{Operators.Describe(value)} cannot be written as JSON");
            }
        }

        private static string Number(JinjaValue value) => value switch
        {
            JinjaValue.Float { Value: double.NaN } => "NaN",
            JinjaValue.Float { Value: double.PositiveInfinity } => "Infinity",
            JinjaValue.Float { Value: double.NegativeInfinity } => "-Infinity",
            JinjaValue.Float number => ValueText.Number(number.Value),
            _ => ((JinjaValue.Int)value).Value.ToString(CultureInfo.InvariantCulture),
        };

        private static string Key(JinjaValue key) => key switch
        {
            JinjaValue.Text text => text.Value,
            JinjaValue.None => "null",
            JinjaValue.Bool flag => flag.Value ? "true" : "false",
            JinjaValue.Int or JinjaValue.Float => Number(key),
            _ => throw new JinjaError($"{Operators.Describe(key)} cannot be a key in JSON"),
        };

        private void WriteItems<T>(char open, char close, IReadOnlyList<T> items, int depth, Action<T> write)
        {
            Output.Append(open);
            for (var i = 0; i < items.Count; i++)
            {
                if (i > 0)
                    Output.Append(style.Between);
                NewLine(depth + 1);
                write(items[i]);
            }

            if (items.Count > 0)
                NewLine(depth);
            Output.Append(close);
        }

        private void NewLine(int depth)
        {
            if (style.Indent is not { } width)
                return;
            budget.Spend((long)Math.Max(0, width) * depth);
            Output.Append('\n').Append(' ', Math.Max(0, width) * depth);
        }

        private void WriteString(string text)
        {
            budget.Spend(text.Length);
            Output.Append('"');
            foreach (var c in text)
            {
                _ = c switch
                {
                    '"' => Output.Append("\\\""),
                    '\\' => Output.Append("\\\\"),
                    '\n' => Output.Append("\\n"),
                    '\r' => Output.Append("\\r"),
                    '\t' => Output.Append("\\t"),
                    '\b' => Output.Append("\\b"),
                    '\f' => Output.Append("\\f"),
                    < ' ' => Escape(c),
                    > '~' when style.AsciiOnly => Escape(c),
                    _ => Output.Append(c),
                };
            }

            Output.Append('"');
        }

        private StringBuilder Escape(char c) => Output.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
    }
}
