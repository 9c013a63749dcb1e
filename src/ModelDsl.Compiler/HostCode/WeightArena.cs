using System.Globalization;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Scheduling;

namespace ModelDsl.Compiler.HostCode;

/// <summary>Where every weight lies. Layers of the same make lie behind each other at a fixed distance.</summary>
internal sealed class WeightArena
{
    private const long Alignment = 256;
    private readonly Dictionary<string, string> _placeOf = new(StringComparer.Ordinal);

    public WeightArena(ModelPlan plan)
    {
        var byLayer = new SortedDictionary<int, List<WeightTensor>>();
        foreach (var weight in plan.Weights)
        {
            if (LayerOf(weight.Key) is not { } layer)
            {
                Shared.Add(weight);
                continue;
            }
            if (!byLayer.TryGetValue(layer, out var own)) byLayer.Add(layer, own = []);
            own.Add(weight);
        }

        long end = 0;
        var makes = new Dictionary<string, LayerMake>(StringComparer.Ordinal);
        SharedPlaces = Place("Shared", Shared, prefix: "", ref end);
        foreach (var layer in byLayer)
        {
            var prefix = Prefix(layer.Key);
            var signature = string.Join("\n", layer.Value.Select(weight => Signature(weight, layer.Key)));
            if (!makes.TryGetValue(signature, out var make))
            {
                var name = NameOf(layer.Value, makes.Values);
                var bytes = 0L;
                var places = Place(name, layer.Value, prefix, ref bytes);
                makes.Add(signature, make = new LayerMake(name, layer.Key, layer.Value, places, bytes));
                Makes.Add(make);
            }
            foreach (var weight in layer.Value) _placeOf[weight.Key] = $"{make.Name}.{CSharp.Pascal(weight.Key.Substring(prefix.Length))}";

            if (Runs.Count > 0 && Runs[Runs.Count - 1] is var last && last.Make == make && last.End == layer.Key) last.End++;
            else Runs.Add(new LayerRun(make, layer.Key, end));
            end += make.Bytes;
        }
        Bytes = end;
    }

    /// <summary>Weights that belong to no layer.</summary>
    public List<WeightTensor> Shared { get; } = [];

    /// <summary>Constants of the shared weights.</summary>
    public List<WeightPlace> SharedPlaces { get; }

    public List<LayerMake> Makes { get; } = [];

    public List<LayerRun> Runs { get; } = [];

    public long Bytes { get; }

    /// <summary>The layers of a make, ascending.</summary>
    public IEnumerable<int> LayersOf(LayerMake make) =>
        Runs.Where(run => run.Make == make).SelectMany(run => Enumerable.Range(run.First, run.End - run.First));

    /// <summary>The name of the constant that holds a weight's offset: <c>MoeLayer.QA</c>.</summary>
    public string ConstantOf(string key, WeightArea area) => _placeOf[key] + (area == WeightArea.Scales ? "Scales" : "");

    /// <summary>The layer that a weight's key names; null for a shared weight.</summary>
    public static int? LayerOf(string key)
    {
        if (!key.StartsWith("layers.", StringComparison.Ordinal)) return null;
        var end = key.IndexOf('.', 7);
        return end > 0 && int.TryParse(key.Substring(7, end - 7), NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
            ? layer
            : null;
    }

    public static string Prefix(int layer) => $"layers.{layer.ToString(CultureInfo.InvariantCulture)}.";

    private List<WeightPlace> Place(string holder, List<WeightTensor> weights, string prefix, ref long end)
    {
        var places = new List<WeightPlace>();
        foreach (var weight in weights)
        {
            var name = CSharp.Pascal(weight.Key.Substring(prefix.Length));
            _placeOf[weight.Key] = $"{holder}.{name}";
            places.Add(new WeightPlace(name, end, $"{weight.Key.Substring(prefix.Length)}: {weight.Type.Text()} {Shape(weight)}"));
            end = Align(end + weight.Bytes);
            if (weight.Scales is not { } scales) continue;
            places.Add(new WeightPlace(
                name + "Scales", end, $"f32 [{weight.ScaleRows}, {weight.ScaleColumns}], one per {scales.Rows} x {scales.Columns} block"));
            end = Align(end + weight.ScaleBytes);
        }
        return places;
    }

    private static string Shape(WeightTensor weight) =>
        weight.Matrices > 1 ? $"[{weight.Matrices}, {weight.Rows}, {weight.Columns}]"
        : weight.Rows > 1 ? $"[{weight.Rows}, {weight.Columns}]"
        : $"[{weight.Columns}]";

    private static string Signature(WeightTensor weight, int layer)
    {
        var own = $".{Prefix(layer)}";
        var parts = weight.Parts.Select(
            part => $"{part.Name.Replace(own, ".layers.*.")} {string.Join("x", part.Shape)} {part.Row} {part.ScaleRow}");
        var scales = weight.Scales is { } s ? $"{s.Rows}x{s.Columns}" : "";
        var shape = $"{weight.Matrices} {weight.Rows} {weight.Columns}";
        return $"{weight.Key.Substring(Prefix(layer).Length)} {weight.Type} {shape} {scales} {string.Join(";", parts)}";
    }

    private static string NameOf(List<WeightTensor> weights, IReadOnlyCollection<LayerMake> others)
    {
        var name = weights.Any(weight => weight.Key.EndsWith(".eh_proj", StringComparison.Ordinal)) ? "MtpLayer"
            : weights.Any(weight => weight.Matrices > 1 || weight.Key.Contains(".experts.")) ? "MoeLayer" : "DenseLayer";
        var same = others.Count(other => other.Name.StartsWith(name, StringComparison.Ordinal));
        return same == 0 ? name : name + (same + 1).ToString(CultureInfo.InvariantCulture);
    }

    private static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}

/// <summary>A constant: an offset, and what lies there.</summary>
internal sealed record WeightPlace(string Name, long Offset, string Description);

/// <summary>What layers of the same make have in common: which weights, and where from the layer's first byte on.</summary>
/// <param name="Example">The first such layer, whose weights <paramref name="Weights"/> are.</param>
internal sealed record LayerMake(string Name, int Example, List<WeightTensor> Weights, List<WeightPlace> Places, long Bytes);

/// <summary>Consecutive layers of the same make.</summary>
internal sealed class LayerRun(LayerMake make, int first, long offset)
{
    public LayerMake Make { get; } = make;

    public int First { get; } = first;

    /// <summary>The layer after the last.</summary>
    public int End { get; set; } = first + 1;

    /// <summary>Of the first layer, in bytes.</summary>
    public long Offset { get; } = offset;
}
