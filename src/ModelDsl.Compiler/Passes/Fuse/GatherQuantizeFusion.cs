using ModelDsl.Compiler.Graph.Ops;

namespace ModelDsl.Compiler.Passes.Fuse;

/// <summary><c>cache_gather</c>, <c>quantize</c> of the latents.</summary>
internal static class GatherQuantizeFusion
{
    public static Fusion Fusion { get; } = new("gather_quantize", Apply);

    private static void Apply(FusionGraph graph)
    {
        foreach (var (position, quantize) in graph.All<QuantizeOp>())
            if (graph.Maker<CacheGatherOp>(quantize.X) is { } gather && gather.Op.Latent == quantize.X && graph.IsPrivate(quantize.X))
                graph.Replace(
                    gather.Position,
                    new GatherQuantizeOp(
                        gather.Op.Cache, gather.Op.Pages, gather.Op.Page, quantize.Rounding, quantize.Result, gather.Op.Key),
                    position);
    }
}
