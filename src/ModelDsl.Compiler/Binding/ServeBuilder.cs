using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding;

/// <summary>Bound block to <see cref="ServeSpec"/>.</summary>
internal static class ServeBuilder
{
    public static ServeSpec Build(string name, BoundBlock block, ModelSpec model, PrecisionSpec precision, ClusterSpec cluster) => new(
        name,
        model,
        precision,
        cluster,
        Phase(block.Block("prefill")),
        Phase(block.Block("decode")),
        block.Block("kv_cache") is { } cache
            ? new KvCacheSpec(cache.Int("page"), PrecisionBuilder.Format(cache.Word("format")), cache.Origin)
            : KvCacheSpec.Default,
        block.TryCall("rebalance")?.Number("time"),
        block.Origin);

    private static ServePhase? Phase(BoundBlock? block)
    {
        if (block is null) return null;
        var attention = block.Call("attention");
        var experts = block.Call("experts");
        return new ServePhase(
            block.Int("unit"),
            new AttentionLayout(attention.Int("tensor"), attention.Flag("sequence"), attention.Int("data"), new Origin(attention.Span)),
            new ExpertLayout(experts.Int("expert"), experts.Int("redundant"), new Origin(experts.Span)),
            block.Call("overlap") is { Name: "micro_batches" } overlap ? overlap.Int("count") : 1,
            block.Call("speculate") is { Name: "mtp" } draft ? draft.Int("draft") : 0,
            block.Origin);
    }
}
