using System.Collections.Immutable;

namespace ModelDsl.Compiler.Syntax;

/// <summary>The units and number suffixes of the language. Decimal is not binary: 1 GB is 10^9 bytes, 1 GiB is 2^30.</summary>
public static class Units
{
    private static readonly Dictionary<string, (double Factor, Dimension Dimension)> Table = Build();

    /// <summary>Short ways to write large numbers: <c>14.8T</c>, <c>64Ki</c>. <c>B</c> is a billion when it touches its number.</summary>
    private static readonly Dictionary<string, double> Suffixes = new(StringComparer.Ordinal)
    {
        ["k"] = 1e3, ["K"] = 1e3, ["M"] = 1e6, ["G"] = 1e9, ["B"] = 1e9, ["T"] = 1e12,
        ["Ki"] = 1L << 10, ["Mi"] = 1L << 20, ["Gi"] = 1L << 30, ["Ti"] = 1L << 40,
    };

    /// <summary>All unit names, for suggestions and completion.</summary>
    public static ImmutableArray<string> Names { get; } = Table.Keys.OrderBy(n => n, StringComparer.Ordinal).ToImmutableArray();

    public static bool TrySuffix(string text, out double factor) => Suffixes.TryGetValue(text, out factor);

    /// <summary>A unit or a quotient of two: <c>GB/s</c>.</summary>
    public static bool TryUnit(string text, out double factor, out Dimension dimension)
    {
        factor = 1;
        dimension = Dimension.None;
        var parts = text.Split('/');
        if (parts.Length > 2 || !Table.TryGetValue(parts[0], out var above)) return false;
        (factor, dimension) = above;
        if (parts.Length == 1) return true;
        if (!Table.TryGetValue(parts[1], out var below)) return false;
        factor /= below.Factor;
        dimension /= below.Dimension;
        return true;
    }

    private static Dictionary<string, (double, Dimension)> Build()
    {
        var table = new Dictionary<string, (double, Dimension)>(StringComparer.Ordinal)
        {
            ["%"] = (0.01, Dimension.None),
            ["$"] = (1, Dimension.Dollar),
            ["s"] = (1, Dimension.Second), ["ms"] = (1e-3, Dimension.Second), ["us"] = (1e-6, Dimension.Second),
            ["µs"] = (1e-6, Dimension.Second),
            ["ns"] = (1e-9, Dimension.Second), ["min"] = (60, Dimension.Second), ["h"] = (3600, Dimension.Second),
            ["hours"] = (3600, Dimension.Second),
            ["days"] = (86400, Dimension.Second),
            ["gpu_hour"] = (3600, Dimension.GpuSecond), ["gpu_hours"] = (3600, Dimension.GpuSecond),
            ["token"] = (1, Dimension.Token), ["tokens"] = (1, Dimension.Token),
            ["step"] = (1, Dimension.Step), ["steps"] = (1, Dimension.Step),
            ["node"] = (1, Dimension.Node), ["nodes"] = (1, Dimension.Node),
            ["gpu"] = (1, Dimension.Gpu), ["gpus"] = (1, Dimension.Gpu),
            ["FLOP"] = (1, Dimension.Flop),
        };
        var power = 1.0;
        foreach (var prefix in new[] { "", "k", "M", "G", "T", "P" })
        {
            table[prefix + "B"] = (power, Dimension.Byte);
            table[prefix + "b"] = (power / 8, Dimension.Byte);
            if (power > 1) table[prefix + "FLOP"] = (power, Dimension.Flop);
            power *= 1000;
        }
        power = 1024;
        foreach (var prefix in new[] { "Ki", "Mi", "Gi", "Ti", "Pi" })
        {
            table[prefix + "B"] = (power, Dimension.Byte);
            table[prefix + "b"] = (power / 8, Dimension.Byte);
            power *= 1024;
        }
        table["KB"] = table["kB"];
        table["Kb"] = table["kb"];
        return table;
    }
}
