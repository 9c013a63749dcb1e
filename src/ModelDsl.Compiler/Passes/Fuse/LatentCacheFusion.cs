using ModelDsl.Compiler.Graph.Ops;

namespace ModelDsl.Compiler.Passes.Fuse;

/// <summary>
/// Everything between the KV down-projection and the cache: the norm of the latent columns, RoPE of the key columns beside them,
/// <c>cache_write</c>.
/// </summary>
internal static class LatentCacheFusion
{
    public static Fusion Fusion { get; } = new("latent_cache", Apply);

    private static void Apply(FusionGraph graph)
    {
        foreach (var (position, write) in graph.All<CacheWriteOp>())
            if (graph.Maker<RmsNormOp>(write.Latent) is { } norm && graph.IsPrivate(write.Latent)
                && graph.Maker<RopeKeyOp>(write.Key) is { } rope && graph.IsPrivate(write.Key)
                && graph.Maker<SliceColumnsOp>(norm.Op.X) is { Op.Start: 0 } latent && graph.IsPrivate(norm.Op.X)
                && graph.Maker<SliceColumnsOp>(rope.Op.Key) is { } key && graph.IsPrivate(rope.Op.Key)
                && latent.Op.X == key.Op.X && key.Op.Start == latent.Op.Result.Type.Width)
                graph.Replace(
                    position,
                    new LatentCacheOp(
                        latent.Op.X, norm.Op.Weight, norm.Op.Epsilon, rope.Op.Cos, rope.Op.Sin, rope.Op.Positions,
                        write.Slots, write.Cache, write.Result),
                    norm.Position, rope.Position, latent.Position, key.Position);
    }
}
