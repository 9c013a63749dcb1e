using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Passes.SelectKernels;

/// <summary>Gives the caches of all layers the rows of <see cref="Fp8CacheRow"/>: who writes and who reads them sees by their type what they are.</summary>
internal static class CacheInFp8
{
    public static ModelGraph Of(ModelGraph graph)
    {
        if (graph.Ops.OfType<MlaDecodeOp>().Any())
            throw new PassException("No kernel but those of Hopper's own attends to a cache in e4m3.", "Let select-kernels take them (hopper=on), or serve with kv_cache { format = bf16 }.");
        var written = new Dictionary<int, Temporary>();
        foreach (var write in graph.Ops.OfType<LatentCacheOp>()) written.Add(((Temporary)write.Result).Id, (Temporary)write.Result with { Type = Row(write) });
        // Ops stand in order, so that what reads a cache knows from who wrote it how wide its parts are.
        TensorType? row = null;
        return graph with
        {
            Ops = [.. graph.Ops.Select(op =>
            {
                if (op is LatentCacheOp write) row = Row(write);
                return op.Map(value => value switch
                {
                    CacheValue cache when row is not null => cache with { Type = row },
                    Temporary temporary when written.TryGetValue(temporary.Id, out var retyped) => retyped,
                    _ => value,
                });
            })],
        };
    }

    private static TensorType Row(LatentCacheOp write)
    {
        var rank = write.Weight.Type.Width;
        return new TensorType(DType.E4M3, [new Fp8CacheRow(rank, write.Kv.Type.Width - rank).Bytes]);
    }
}
