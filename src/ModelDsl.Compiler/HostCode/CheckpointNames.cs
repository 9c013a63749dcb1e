using System.Globalization;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.HostCode;

/// <summary>
/// The checkpoint's tensors under C# names: <c>model.layers.3.mlp.experts.0.up_proj.weight</c> is <c>MlpExpertsUpProj(3, 0)</c>.
/// </summary>
internal sealed class CheckpointNames
{
    /// <summary>The generated class that holds them.</summary>
    public const string Holder = "WeightNames";

    private const string Layer = "{layer}";
    private const string Expert = "{expert}";
    private const string Experts = ".experts.";

    private readonly List<CheckpointName> _names = [];
    private readonly Dictionary<string, CheckpointName> _byTemplate = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);

    public CheckpointNames(WeightArena arena)
    {
        Add(arena.Shared, null, []);
        foreach (var make in arena.Makes)
            Add(make.Weights, make.Example, [.. arena.LayersOf(make)]);
    }

    /// <summary>The C# that gives a tensor's name.</summary>
    /// <param name="layer">The layer whose weight it is made of, and that the code calls <c>layer</c>; null outside of layers.</param>
    /// <param name="expert">What the code calls the expert; null: by its number.</param>
    public string Reference(string name, int? layer, string? expert)
    {
        var (template, number) = Template(name, layer);
        var arguments = new List<string>();
        if (template.Contains(Layer)) arguments.Add("layer");
        if (number is not null) arguments.Add(expert ?? number);
        var list = string.Join(", ", arguments);
        return $"{Holder}.{_byTemplate[template].Id}{(list.Length > 0 ? $"({list})" : "")}";
    }

    public void Write(CodeWriter code)
    {
        code.Line().Summary("Names of the checkpoint's tensors that are loaded: each with its shape there and its format on the device.");
        code.Block($"public static class {Holder}", () =>
        {
            for (var i = 0; i < _names.Count; i++)
            {
                if (i > 0) code.Line();
                Write(code, _names[i]);
            }
        });
    }

    private static void Write(CodeWriter code, CheckpointName name)
    {
        code.Summary(name.Description);
        var parameters = new List<string>();
        if (name.Template.Contains(Layer)) parameters.Add("int layer");
        if (name.Template.Contains(Expert)) parameters.Add("int expert");
        code.Line(parameters.Count == 0
            ? $"public const string {name.Id} = {CSharp.Text(name.Template)};"
            : $"public static string {name.Id}({string.Join(", ", parameters)}) => ${CSharp.Text(name.Template)};");
    }

    private void Add(List<WeightTensor> weights, int? layer, int[] layers)
    {
        var parts = weights.SelectMany(weight => weight.Parts.Select(part =>
            (Template(part.Name, layer).Name, Shape: $"[{string.Join(", ", part.Shape)}]", Type: TypeOf(weight))));
        foreach (var (template, shape, type) in parts.Distinct())
        {
            if (!_byTemplate.TryGetValue(template, out var name))
            {
                _byTemplate.Add(template, name = new CheckpointName(Unused(template), template));
                _names.Add(name);
            }
            name.Add(shape, type, template.Contains(Layer) ? layers : []);
        }
    }

    private string Unused(string template)
    {
        var own = template.Replace("model.", "").Replace($"layers.{Layer}.", "").Replace($".{Expert}", "");
        if (own.EndsWith(".weight", StringComparison.Ordinal)) own = own.Substring(0, own.Length - ".weight".Length);
        var id = CSharp.Pascal(own);
        // The embedding inside of a layer is called like that of the model.
        while (!_ids.Add(id)) id += "OfLayer";
        return id;
    }

    private static (string Name, string? Expert) Template(string name, int? layer)
    {
        var prefix = layer is { } number ? "model." + WeightArena.Prefix(number) : null;
        if (prefix is not null && name.StartsWith(prefix, StringComparison.Ordinal))
            name = $"model.layers.{Layer}." + name.Substring(prefix.Length);
        var at = name.IndexOf(Experts, StringComparison.Ordinal);
        if (at < 0) return (name, null);
        var start = at + Experts.Length;
        var end = name.IndexOf('.', start);
        var expert = end < 0 ? "" : name.Substring(start, end - start);
        return int.TryParse(expert, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            ? (name.Substring(0, start) + Expert + name.Substring(end), expert)
            : (name, null);
    }

    private static string TypeOf(WeightTensor weight) =>
        weight.Type.Text() + (weight.Scales is { } block ? $" with an f32 scale per {block.Rows} x {block.Columns}" : "");
}

/// <summary>One tensor, or one in each of several layers or experts.</summary>
/// <param name="Id">In C#.</param>
/// <param name="Template">In the checkpoint, with <c>{layer}</c> and <c>{expert}</c> in the places of numbers.</param>
internal sealed record CheckpointName(string Id, string Template)
{
    private readonly Dictionary<string, SortedSet<int>> _layersOfShape = new(StringComparer.Ordinal);
    private readonly List<string> _types = [];

    public string Description
    {
        get
        {
            var shapes = _layersOfShape.Select(shape => shape.Value.Count == 0 ? shape.Key : $"{shape.Key} in {LayerRanges.Text(shape.Value)}");
            return $"{string.Join("; ", shapes)}: {string.Join(" and ", _types)}.";
        }
    }

    public void Add(string shape, string type, int[] layers)
    {
        if (!_layersOfShape.TryGetValue(shape, out var all)) _layersOfShape.Add(shape, all = []);
        all.UnionWith(layers);
        if (!_types.Contains(type)) _types.Add(type);
    }
}
