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
        Append(text, op, 0, null, null);
        return text.ToString();
    }

    public static string Print(ModelGraph graph, PrintOptions options)
    {
        var text = new StringBuilder().Append(graph.Phase.ToString().ToLowerInvariant()).Append(" {\n");
        for (var start = 0; start < graph.Ops.Length;)
        {
            var end = EndOfLayer(graph, start);
            var block = Block(graph, start, end, 0, null, options);
            if (graph.Ops[start].Layer is not { } layer)
            {
                text.Append(block);
                start = end;
                continue;
            }

            var last = layer;
            var next = end;
            if (options.CollapseLayers)
                while (next < graph.Ops.Length && graph.Ops[next].Layer is { } following && Repeats(graph, start, end, next, options))
                {
                    last = following;
                    next = EndOfLayer(graph, next);
                }

            text.Append(last == layer ? $"  layer {layer}:\n" : $"  layers {layer}..{last}, all like {layer}:\n").Append(block);
            start = next;
        }

        foreach (var output in graph.Outputs) text.Append($"  output {output.Output.ToString().ToLowerInvariant()} = {output.Value}\n");
        foreach (var tap in graph.Taps) text.Append($"  tap {tap.Name} = {tap.Value}\n");
        if (graph.Memory is { } memory) text.Append($"  workspace {memory.Bytes} bytes\n");
        return text.Append("}\n").ToString();
    }

    private static int EndOfLayer(ModelGraph graph, int start)
    {
        var end = start + 1;
        while (end < graph.Ops.Length && graph.Ops[end].Layer == graph.Ops[start].Layer) end++;
        return end;
    }

    /// <summary>Two layers are alike if they read the same once numbers count from the layer's first and its own index is left out.</summary>
    private static bool Repeats(ModelGraph graph, int start, int end, int next, PrintOptions options)
    {
        var nextEnd = EndOfLayer(graph, next);
        return nextEnd - next == end - start
            && Block(graph, start, end, FirstId(graph, start), graph.Ops[start].Layer, options)
            == Block(graph, next, nextEnd, FirstId(graph, next), graph.Ops[next].Layer, options);
    }

    private static int FirstId(ModelGraph graph, int op) => ((Temporary)graph.Ops[op].Results[0]).Id;

    private static string Block(ModelGraph graph, int start, int end, int firstId, int? ownLayer, PrintOptions options)
    {
        var text = new StringBuilder();
        for (var i = start; i < end; i++)
        {
            text.Append(graph.Ops[i].Layer is null ? "  " : "    ");
            Append(text, graph.Ops[i], firstId, ownLayer, graph.Memory);
            if (options.LineOf?.Invoke(graph.Ops[i]) is { Length: > 0 } line) text.Append("  // ").Append(line);
            text.Append('\n');
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, Op op, int firstId, int? ownLayer, MemoryMap? memory)
    {
        Join(text, op.Results, firstId, ownLayer);
        text.Append(" = ").Append(op.Mnemonic).Append(' ');
        Join(text, op.Operands, firstId, ownLayer);
        if (op.Attributes.Length > 0) text.Append(' ').Append(op.Attributes);
        text.Append(" : ").Append(string.Join(", ", op.Results.Select(result => result.Type.ToString())));
        if (memory is not null)
            text.Append(" @ ").Append(string.Join(", ", op.Results.Select(result => Place(memory.Places[((Temporary)result).Id]))));
    }

    private static void Join(StringBuilder text, IReadOnlyList<Value> values, int firstId, int? ownLayer)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (i > 0) text.Append(", ");
            text.Append(values[i] switch
            {
                Temporary temporary => $"%{temporary.Id - firstId}",
                WeightValue weight when ownLayer is { } layer => weight.Name.Replace($"layers.{layer}.", "layers.*."),
                CacheValue cache when cache.Layer == ownLayer => "cache.*",
                var value => value.Name,
            });
        }
    }

    private static string Place(Place place) => place switch
    {
        WorkspacePlace { Extra: { } extra } at => $"{at.Offset}+{extra}",
        WorkspacePlace at => at.Offset.ToString(CultureInfo.InvariantCulture),
        OutputPlace at => at.Output.ToString().ToLowerInvariant(),
        CachePlace => "cache",
        _ => "",
    };
}
