namespace ModelDsl.Compiler.Binding.Checks;

/// <summary>The values next to a wrong one that are right, for hints.</summary>
internal static class Nearest
{
    private const long Farthest = 1 << 16;

    /// <summary><c>use pipeline = 8 or 16</c>; null: nothing near works.</summary>
    public static string? Hint(string name, long value, long most, Func<long, bool> works)
    {
        var below = Find(Math.Min(value - 1, most), -1, works, most);
        var above = Find(value + 1, 1, works, most);
        return (below, above) switch
        {
            (null, null) => null,
            ({ } one, { } other) => $"use {name} = {one} or {other}",
            _ => $"use {name} = {below ?? above}",
        };
    }

    private static long? Find(long from, int step, Func<long, bool> works, long most)
    {
        for (var (value, tries) = (from, 0L); value >= 1 && value <= most && tries < Farthest; value += step, tries++)
            if (works(value)) return value;
        return null;
    }
}
