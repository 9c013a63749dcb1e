using System.Globalization;
using System.Text;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>The functions every template has.</summary>
internal static class Functions
{
    private const int LongestRange = 100_000;

    /// <param name="now">What <c>strftime_now</c> takes for the present.</param>
    public static void Define(Scope scope, Func<DateTime> now)
    {
        Add("range", Range);
        Add("namespace", a => new JinjaValue.Namespace(Named(a).ToDictionary(i => ((JinjaValue.Text)i.Key).Value, i => i.Value)));
        Add("dict", a => new JinjaValue.Map(Named(a)));
        Add("raise_exception", a => throw new JinjaError(a.Text(0, "message")));
        Add("strftime_now", a => new JinjaValue.Text(Format(now(), a.Text(0, "format"))));

        void Add(string name, Func<CallArguments, JinjaValue> body) => scope.Set(name, new JinjaValue.Function(name, body));
    }

    private static OrderedDictionary<JinjaValue, JinjaValue> Named(CallArguments arguments)
    {
        var items = new OrderedDictionary<JinjaValue, JinjaValue>();
        if (arguments.Positional is [JinjaValue.Map first, ..])
            foreach (var (key, value) in first.Items)
                items[key is JinjaValue.Text ? key : throw new JinjaError("the names must be strings")] = value;
        foreach (var (name, value) in arguments.Named)
            items[new JinjaValue.Text(name)] = value;
        return items;
    }

    private static JinjaValue.List Range(CallArguments arguments)
    {
        arguments.AtMost(3);
        var first = arguments.IntOrNull(0, "start") ?? throw new JinjaError("range needs a number");
        var (start, stop) = arguments.IntOrNull(1, "stop") is { } second ? (first, second) : (0, first);
        var step = arguments.IntOrNull(2, "step") ?? 1;
        if (step == 0)
            throw new JinjaError("a range with step 0");
        var items = new List<JinjaValue>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step)
        {
            if (items.Count == LongestRange)
                throw new JinjaError($"a range of more than {LongestRange} numbers");
            items.Add(CallArguments.Number((int)i));
        }

        arguments.Budget.Make(items.Count);
        return new JinjaValue.List(items);
    }

    private static string Format(DateTime now, string format)
    {
        var result = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                result.Append(format[i]);
                continue;
            }

            result.Append(format[++i] switch
            {
                'Y' => now.ToString("yyyy", CultureInfo.InvariantCulture),
                'y' => now.ToString("yy", CultureInfo.InvariantCulture),
                'm' => now.ToString("MM", CultureInfo.InvariantCulture),
                'd' => now.ToString("dd", CultureInfo.InvariantCulture),
                'b' => now.ToString("MMM", CultureInfo.InvariantCulture),
                'B' => now.ToString("MMMM", CultureInfo.InvariantCulture),
                'a' => now.ToString("ddd", CultureInfo.InvariantCulture),
                'A' => now.ToString("dddd", CultureInfo.InvariantCulture),
                'H' => now.ToString("HH", CultureInfo.InvariantCulture),
                'I' => now.ToString("hh", CultureInfo.InvariantCulture),
                'M' => now.ToString("mm", CultureInfo.InvariantCulture),
                'S' => now.ToString("ss", CultureInfo.InvariantCulture),
                'p' => now.ToString("tt", CultureInfo.InvariantCulture),
                'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
                '%' => "%",
                var letter => throw new JinjaError($"strftime_now does not know \"%{letter}\""),
            });
        }

        return result.ToString();
    }
}
