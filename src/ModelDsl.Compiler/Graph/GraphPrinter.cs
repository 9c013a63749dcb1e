using System.Globalization;
using System.Text;

namespace ModelDsl.Compiler.Graph;

/// <param name="CollapseLayers">A layer that repeats the one before it is not printed again; the first one bears the range.</param>
/// <param name="LineOf">Says where an op was asked for, at the end of its line; null: it is not said.</param>
public sealed record PrintOptions(bool CollapseLayers = true, Func<Op, string?>? LineOf = null)
{
    public static PrintOptions Default { get; } = new();
}

/// <summary>
/// Readable text of a graph, one op a line: <c>%12 = rms_norm %10, w"layers.0.input_norm" epsilon=1e-06 : bf16[T,128]</c>.
/// </summary>
public static class GraphPrinter
{
    /// <summary>One op, without its layer.</summary>
    public static string Print(Op op)
    {
        var text = new StringBuilder();
        Append(text, op, null, null);
        return text.ToString();
    }

    public static string Print(ModelGraph graph, PrintOptions options)
    {
        var text = new StringBuilder().Append(graph.Phase.Text()).Append(" {\n");
        for (var start = 0; start < graph.Ops.Length;)
        {
            var end = EndOfLayer(graph, start);
            var block = Block(graph, start, end, options);
            if (graph.Ops[start].Layer is not { } layer)
            {
                text.Append(block);
                start = end;
                continue;
            }

            var last = layer;
            var next = end;
            if (options.CollapseLayers)
            {
                var shape = Block(graph, start, end, options, new LayerNames(layer));
                while (next < graph.Ops.Length && graph.Ops[next].Layer is { } following)
                {
                    var nextEnd = EndOfLayer(graph, next);
                    if (nextEnd - next != end - start || Block(graph, next, nextEnd, options, new LayerNames(following)) != shape) break;
                    (last, next) = (following, nextEnd);
                }
            }

            text.Append(last == layer ? $"  layer {layer}:\n" : $"  layers {layer}..{last}, all like {layer}:\n").Append(block);
            start = next;
        }

        foreach (var output in graph.Outputs) text.Append($"  output {output.Output.ToString().ToLowerInvariant()} = {output.Value}\n");
        foreach (var tap in graph.Taps) text.Append($"  tap {tap.Name} = {tap.Value}\n");
        if (graph.Memory is { } memory) text.Append($"  workspace {memory.Bytes} bytes\n");
        return text.Append("}\n").ToString();
    }

    /// <summary>A layer's forward pass ends where its backward pass begins, be there nothing between them.</summary>
    private static int EndOfLayer(ModelGraph graph, int start)
    {
        var (layer, isForward) = (graph.Ops[start].Layer, graph.Ops[start].Work == Work.Forward);
        var end = start + 1;
        while (end < graph.Ops.Length && graph.Ops[end].Layer == layer && graph.Ops[end].Work == Work.Forward == isForward) end++;
        return end;
    }

    private static string Block(ModelGraph graph, int start, int end, PrintOptions options, LayerNames? names = null)
    {
        var text = new StringBuilder();
        var work = Work.Forward;
        for (var i = start; i < end; i++)
        {
            var indent = graph.Ops[i].Layer is null ? "  " : "    ";
            if (graph.Ops[i].Work != work)
            {
                work = graph.Ops[i].Work;
                text.Append(indent).Append(work.Text()).Append(":\n");
            }

            text.Append(indent).Append(work == Work.Forward ? "" : "  ");
            Append(text, graph.Ops[i], graph.Memory, names);
            if (options.LineOf?.Invoke(graph.Ops[i]) is { Length: > 0 } line) text.Append("  // ").Append(line);
            text.Append('\n');
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, Op op, MemoryMap? memory, LayerNames? names)
    {
        // Operands first: what a layer takes from the one before gets its number before what it makes.
        var operands = Names(op.Operands, names);
        if (op.Results.Length > 0) text.Append(Names(op.Results, names)).Append(op.IsRecomputed ? " = again " : " = ");
        text.Append(op.Mnemonic);
        if (operands.Length > 0) text.Append(' ').Append(operands);
        if (op.Attributes.Length > 0) text.Append(' ').Append(op.Attributes);
        if (op.Results.Length > 0) text.Append(" : ").Append(string.Join(", ", op.Results.Select(result => result.Type.ToString())));
        if (memory is not null)
            text.Append(" @ ").Append(string.Join(", ", op.Results.Select(result => Place(memory.Places[((Temporary)result).Id]))));
    }

    private static string Names(IEnumerable<Value> values, LayerNames? names) =>
        string.Join(", ", values.Select(value => names is null ? value.Name : names.Of(value)));

    private static string Place(Place place) => place switch
    {
        WorkspacePlace { Extra: { } extra } at => $"{at.Offset}+{extra}",
        WorkspacePlace at => at.Offset.ToString(CultureInfo.InvariantCulture),
        OutputPlace at => at.Output.ToString().ToLowerInvariant() + (at.Extra is { } extra ? $"+{extra}" : ""),
        CachePlace => "cache",
        _ => "",
    };

    /// <summary>
    /// Names that two layers share if they compute the same: temporaries count in the order in which the layer meets them, and the
    /// layer's own index is left out.
    /// </summary>
    private sealed class LayerNames(int layer)
    {
        private readonly Dictionary<int, int> _met = [];

        public string Of(Value value)
        {
            switch (value)
            {
                case Temporary temporary:
                    if (!_met.TryGetValue(temporary.Id, out var number)) _met.Add(temporary.Id, number = _met.Count);
                    return $"%{number}";
                case WeightValue weight:
                    return weight.Name.Replace($"layers.{layer}.", "layers.*.");
                case StateValue state:
                    return state.Name.Replace($"layers.{layer}.", "layers.*.");
                case CacheValue cache when cache.Layer == layer:
                    return "cache.*";
                default:
                    return value.Name;
            }
        }
    }
}
