using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Scheduling;

namespace ModelDsl.Compiler.HostCode;

/// <summary>
/// Names for places in the workspace within one method: what a launch writes is called after the weight it used or the kernel that
/// wrote it, until another launch writes something else there.
/// </summary>
internal sealed class BufferNames
{
    private static readonly string[] Reserved = ["tokens", "context", "logitRows", "splits", "maxPages", "layer", "step", "weights", "in", "out", "var"];

    private readonly Dictionary<long, string> _current = [];
    private readonly HashSet<string> _used = new(Reserved, StringComparer.Ordinal);

    /// <summary>The name of each workspace argument of a launch, and those that are new with it: name and offset.</summary>
    public (string?[] Names, List<(string Name, long Offset)> New) Of(LaunchStep step, Func<int, bool> isParameter)
    {
        var names = new string?[step.Arguments.Count];
        var added = new List<(string, long)>();
        // Inputs first: an output may take the place of one that nobody reads after this launch.
        foreach (var output in new[] { false, true })
            for (var a = 0; a < names.Length; a++)
            {
                if (step.Arguments[a] is not WorkspaceArgument workspace || isParameter(a)) continue;
                var parameter = step.Kernel.Parameters[a];
                if (parameter.Kind == ParameterKind.Output != output) continue;
                var isKnown = _current.TryGetValue(workspace.Offset, out var known);
                if (isKnown && (!output || parameter.Name == "sum"))
                {
                    names[a] = known;
                    continue;
                }

                var name = Unused(parameter.Name is "x" or "sum" ? "hidden" : output ? Stem(step, parameter.Name) : CSharp.Camel(parameter.Name));
                _current[workspace.Offset] = name;
                added.Add((name, workspace.Offset));
                names[a] = name;
            }

        return (names, added);
    }

    /// <summary>Other methods ran in between: what lies where is unknown, names stay taken.</summary>
    public void Forget() => _current.Clear();

    /// <summary><c>qA</c> for what the weight <c>layers.3.q_a</c> gave, <c>mlaDecodeLse</c> for a second output of a kernel without weight.</summary>
    private static string Stem(LaunchStep step, string parameter)
    {
        var weight = step.Arguments.Items.OfType<WeightArgument>().FirstOrDefault();
        var kernel = step.Kernel.GetType().Name;
        var stem = weight is null ? kernel.Substring(0, kernel.Length - "Kernel".Length) : WithoutLayer(weight.Key);
        return CSharp.Camel(parameter is "out" or "c" ? stem : $"{stem}_{parameter}");
    }

    private static string WithoutLayer(string key) =>
        (WeightArena.LayerOf(key) is { } layer ? key.Substring(WeightArena.Prefix(layer).Length) : key).Replace('.', '_');

    private string Unused(string name)
    {
        var candidate = name;
        for (var i = 2; !_used.Add(candidate); i++) candidate = $"{name}{i}";
        return candidate;
    }
}
