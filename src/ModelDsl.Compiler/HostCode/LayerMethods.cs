using ModelDsl.Compiler.Scheduling;

namespace ModelDsl.Compiler.HostCode;

/// <summary>
/// Cuts the launches of a phase into layers and finds those that repeat. Layers whose launches differ in nothing but the layer
/// and some places in the workspace become one method, and those places its parameters.
/// </summary>
internal sealed class LayerMethods
{
    private LayerMethods(List<Segment> segments, List<LayerMethod> methods) => (Segments, Methods) = (segments, methods);

    /// <summary>All launches in order: stretches outside of layers, and layers.</summary>
    public List<Segment> Segments { get; }

    public List<LayerMethod> Methods { get; }

    public static LayerMethods Find(PhasePlan phase, WeightArena arena)
    {
        var segments = new List<Segment>();
        var byText = new Dictionary<string, LayerMethod>(StringComparer.Ordinal);
        var methods = new List<LayerMethod>();
        var steps = phase.Steps.Items;
        for (var start = 0; start < steps.Length;)
        {
            var end = start + 1;
            while (end < steps.Length && steps[end].Layer == steps[start].Layer) end++;
            var own = steps.Slice(start, end - start).ToArray();
            start = end;
            if (own[0].Layer is not { } layer)
            {
                segments.Add(new Segment(own, null));
                continue;
            }

            var make = arena.Runs.First(run => run.First <= layer && layer < run.End).Make.Name;
            var text = make + "\n" + string.Join("\n", own.Select(step => Signature(step, layer)));
            if (!byText.TryGetValue(text, out var method))
            {
                var same = methods.Count(other => other.Make == make);
                byText.Add(
                    text, method = new LayerMethod(make, $"{CSharp.Pascal(phase.Name)}{make}{(same == 0 ? "" : $"Form{same + 1}")}"));
                methods.Add(method);
            }
            method.Layers.Add(own);
            segments.Add(new Segment(own, method));
        }
        foreach (var method in methods) method.FindParameters();
        return new LayerMethods(segments, methods);
    }

    // What must be equal for two layers to share a method: all but the layer's number and offsets into the workspace.
    private static string Signature(LaunchStep step, int layer) =>
        $"{step.Kernel.Name} {step.Geometry} " + string.Join(", ", step.Arguments.Select(argument => argument switch
        {
            WorkspaceArgument workspace => "workspace + " + workspace.Extra,
            WeightArgument weight when WeightArena.LayerOf(weight.Key) == layer =>
                $"{weight.Key.Substring(WeightArena.Prefix(layer).Length)} {weight.Area} {weight.Offset}",
            CacheArgument cache when cache.Layer == layer => "cache",
            _ => argument.ToString(),
        }));
}

/// <param name="Method">The layer's method; null outside of layers.</param>
internal sealed record Segment(LaunchStep[] Steps, LayerMethod? Method)
{
    public int Layer => Steps[0].Layer ?? -1;

    /// <summary>Values of the method's parameters for this layer.</summary>
    public IEnumerable<long> Arguments =>
        Method!.Parameters.Select(parameter => ((WorkspaceArgument)Steps[parameter.Step].Arguments[parameter.Argument]).Offset);
}

/// <summary>The launches of one or more layers.</summary>
internal sealed class LayerMethod(string make, string name)
{
    private readonly Dictionary<(int Step, int Argument), string> _nameOf = [];

    public string Make { get; } = make;

    public string Name { get; } = name;

    /// <summary>The launches of each layer that the method plays.</summary>
    public List<LaunchStep[]> Layers { get; } = [];

    /// <summary>Places in the workspace that are not the same in all layers, and where the first use of each is.</summary>
    public List<(string Name, int Step, int Argument)> Parameters { get; } = [];

    /// <summary>The parameter that stands for an argument; null where all layers agree on it.</summary>
    public string? ParameterOf(int step, int argument) => _nameOf.TryGetValue((step, argument), out var name) ? name : null;

    public void FindParameters()
    {
        var byValues = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var step = 0; step < Layers[0].Length; step++)
            for (var argument = 0; argument < Layers[0][step].Arguments.Count; argument++)
            {
                if (Layers[0][step].Arguments[argument] is not WorkspaceArgument) continue;
                var (s, a) = (step, argument);
                var offsets = Layers.Select(layer => ((WorkspaceArgument)layer[s].Arguments[a]).Offset).ToArray();
                if (offsets.All(offset => offset == offsets[0])) continue;
                var values = string.Join(",", offsets);
                if (!byValues.TryGetValue(values, out var name))
                {
                    name = Unused(CSharp.Camel(Layers[0][step].Kernel.Parameters[argument].Name));
                    byValues.Add(values, name);
                    Parameters.Add((name, step, argument));
                }
                _nameOf.Add((step, argument), name);
            }
    }

    // "At" keeps a parameter apart from C#'s keywords and from the locals that hold sizes.
    private string Unused(string name)
    {
        var candidate = name + "At";
        for (var i = 2; Parameters.Any(parameter => parameter.Name == candidate); i++) candidate = $"{name}At{i}";
        return candidate;
    }
}
