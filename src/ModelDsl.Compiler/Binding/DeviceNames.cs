namespace ModelDsl.Compiler.Binding;

/// <summary>Names that Windows keeps for devices, so that no file there can have one, whatever its extension.</summary>
internal static class DeviceNames
{
    private static readonly HashSet<string> All = new(
        new[] { "CON", "PRN", "AUX", "NUL" }.Concat(Enumerable.Range(0, 10).SelectMany(n => new[] { $"COM{n}", $"LPT{n}" })), StringComparer.OrdinalIgnoreCase);

    public static bool Contains(string name) => All.Contains(name);
}
