using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Overlap;

namespace ModelDsl.Cli.Input;

/// <summary>What was measured, from JSON files: the times of a layer, efficiencies of kernels, loads of experts.</summary>
internal static class PlanFiles
{
    private static readonly string[] Parts =
        ["attn_f", "mlp_f", "mlp_b", "mlp_w", "attn_b", "attn_w", "dispatch_f", "dispatch_b", "combine_f", "combine_b"];

    private const string SideStream = "mlp_w_side";

    /// <summary>Loads of every expert, a list per layer.</summary>
    public static float[][] Loads(string path) => Read(path, "is no JSON list of layers", text =>
    {
        var layers = JsonSerializer.Deserialize<float[][]>(text);
        return layers is { Length: > 0 } && layers.All(layer => layer is not null && layer.All(load => load >= 0 && float.IsFinite(load)))
            ? layers
            : throw TroubleException.Failed($"'{path}' holds no loads: a list of layers is expected, each a list of numbers from 0 up");
    });

    /// <summary>Microseconds of the ten parts of an MoE layer; <c>mlp_w_side</c> is what a second stream does of its weight gradients.</summary>
    public static LayerTimes LayerTimes(string path) => Read(path, "is no JSON object", text =>
    {
        using var json = JsonDocument.Parse(text);
        if (json.RootElement.ValueKind != JsonValueKind.Object) throw TroubleException.Failed($"'{path}' is no JSON object of microseconds by part");
        var known = json.RootElement.EnumerateObject().ToDictionary(part => part.Name, part => part.Value);
        double Seconds(string name, bool required = true)
        {
            if (!known.Remove(name, out var value))
                return required ? throw TroubleException.Failed($"'{path}' has no '{name}'; expected are microseconds of {string.Join(", ", Parts)}") : 0;
            return value.ValueKind == JsonValueKind.Number && value.GetDouble() is >= 0 and < 1e12 and var microseconds
                ? microseconds * 1e-6
                : throw TroubleException.Failed($"'{path}': '{name}' should be microseconds, a number from 0 up");
        }

        var times = Parts.Select(name => Seconds(name)).ToArray();
        // Both streams share the multiprocessors: what one does, the other waits for.
        var mlpWeight = times[3] + Seconds(SideStream, required: false);
        known.Remove("source");
        return known.Count == 0
            ? new LayerTimes(times[0], times[1], times[2], mlpWeight, times[4], times[5], times[6], times[7], times[8], times[9])
            : throw TroubleException.Failed($"'{path}' says '{known.Keys.First()}', which is no part of a layer; there are {string.Join(", ", Parts)}, {SideStream}");
    });

    /// <summary>The built-in efficiencies, replaced by a file's for every class that it names.</summary>
    public static EfficiencyTable Efficiencies(string path) => Read(path, "is no JSON list of efficiencies", text =>
    {
        using var json = JsonDocument.Parse(text);
        if (json.RootElement.ValueKind != JsonValueKind.Array) throw TroubleException.Failed($"'{path}' is no JSON list of efficiencies");
        var rows = json.RootElement.EnumerateArray().Select((row, i) => Row(path, i, row)).ToImmutableArray();
        return EfficiencyTable.BuiltIn.With(rows);
    });

    /// <summary><c>balanced</c>, <c>powerlaw:EXPONENT</c> or a file of loads.</summary>
    public static RoutingLoad Routing(string text, ModelSpec model)
    {
        if (text == RoutingLoad.Balanced.Name) return RoutingLoad.Balanced;
        var experts = model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().FirstOrDefault()?.Routed ?? 0;
        if (text.StartsWith("powerlaw:", StringComparison.Ordinal))
            return double.TryParse(text["powerlaw:".Length..], CultureInfo.InvariantCulture, out var exponent) && exponent is >= 0 and <= 10
                ? RoutingLoad.PowerLaw(exponent, Math.Max(1, experts))
                : throw TroubleException.Usage($"--routing {text}: an exponent from 0 to 10 is expected, as in powerlaw:1.01");
        var layers = Loads(text);
        if (layers.FirstOrDefault(layer => layer.Length != experts) is { } other)
            throw TroubleException.Failed($"'{text}' has loads of {other.Length} experts in a layer, and the model has {experts}");
        return new RoutingLoad(text, [.. layers.Select(layer => layer.Select(load => (double)load).ToImmutableArray())]);
    }

    private static EfficiencyRow Row(string path, int index, JsonElement row)
    {
        string Trouble(string what) => $"'{path}', row {index + 1}: {what}";
        JsonElement? Get(string name) => row.ValueKind == JsonValueKind.Object && row.TryGetProperty(name, out var value) ? value : null;
        int Size(string name) => Get(name) is not { } value ? 0
            : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var size) && size > 0 ? size
            : throw TroubleException.Failed(Trouble($"'{name}' should be a whole number above 0"));
        var name = Get("class") is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
        if (!WorkClassNames.TryParse(name, out var kind))
            throw TroubleException.Failed(Trouble($"'{name}' is no class; there are {string.Join(", ", WorkClassNames.All)}"));
        if (Get("value") is not { ValueKind: JsonValueKind.Number } number || number.GetDouble() is not (> 0 and <= 1 and var value))
            throw TroubleException.Failed(Trouble("'value' should be above 0 and at most 1: a fraction, or seconds of exchange_notice"));
        var (n, k) = (Size("n"), Size("k"));
        if (n == 0 != (k == 0)) throw TroubleException.Failed(Trouble("'n' and 'k' go together"));
        return new EfficiencyRow(kind, n, k, value, Get("source") is { ValueKind: JsonValueKind.String } source ? source.GetString()! : path);
    }

    private static T Read<T>(string path, string otherwise, Func<string, T> parse)
    {
        try
        {
            return parse(File.ReadAllText(path));
        }
        catch (JsonException mistake)
        {
            throw TroubleException.Failed($"'{path}' {otherwise}: {mistake.Message}");
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw TroubleException.Failed($"cannot read '{path}': {trouble.Message}");
        }
    }
}
