using ModelDsl.Compiler.Graph.Ops;

namespace ModelDsl.Compiler.Passes.Fuse;

/// <summary><c>swiglu</c>, <c>quantize</c>.</summary>
internal static class SwiGluQuantizeFusion
{
    public static Fusion Fusion { get; } = new("swiglu_quantize", Apply);

    private static void Apply(FusionGraph graph)
    {
        foreach (var (position, quantize) in graph.All<QuantizeOp>())
            if (graph.Maker<SwiGluOp>(quantize.X) is { Op.Rounding: null } swiglu && graph.IsPrivate(quantize.X))
                graph.Replace(swiglu.Position, swiglu.Op with { Result = quantize.Result, Rounding = quantize.Rounding }, position);
    }
}
