using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Compiler.Tests.Passes;

namespace ModelDsl.Compiler.Tests.Graph;

public class GraphPrinterTests
{
    [Fact]
    public void Layers_that_look_alike_are_printed_once()
    {
        string[] all = ["place-precision", "fuse", "select-kernels", "plan-memory"];
        foreach (var count in new[] { 0, 2, 4 })
        {
            var graph = Graphs.After(Graphs.Lowered(Models.V3, Phase.Decode), BuiltInPrecision.Fp8, all[..count]);
            var headings = graph.ToText().Split('\n').Where(line => line.StartsWith("  layer", StringComparison.Ordinal)).ToList();

            // The first layer starts with a norm, all others with a sum as well.
            Assert.Equal(["  layer 0:", "  layers 1..2, all like 1:", "  layers 3..60, all like 3:"], headings);
        }
    }

    [Fact]
    public void Uncollapsed_text_has_every_op_and_says_where_it_was_asked_for()
    {
        var graph = Graphs.Lowered(Models.Micro, Phase.Prefill);
        var text = graph.ToText(new PrintOptions(CollapseLayers: false, LineOf: op => op.Layer is { } layer ? $"line {layer + 20}" : null));
        var lines = text.Split('\n');
        Assert.Equal(graph.Ops.Length, lines.Count(line => line.Contains(" = ") && !line.Contains("output")));
        Assert.Contains("    %1 = rms_norm %0, w\"layers.0.input_norm\" epsilon=1E-06 : f32[T,128]  // line 20", lines);
        Assert.DoesNotContain(lines, line => line.Contains("w\"head\"") && line.Contains("//"));
    }
}
