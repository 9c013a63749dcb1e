using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>The pages of one sequence as contiguous rows: latents <c>[S, rank]</c> and rotated keys <c>[S, rope]</c>.</summary>
public sealed record CacheGatherOp(Value Cache, Value Pages, int Page, Value Latent, Value Key) : Op
{
    public override string Mnemonic => "cache_gather";

    public override ImmutableArray<Value> Operands => [Cache, Pages];

    public override ImmutableArray<Value> Results => [Latent, Key];

    public override string Attributes => $"page={Page}";

    public override Op Map(Func<Value, Value> map) =>
        this with { Cache = map(Cache), Pages = map(Pages), Latent = map(Latent), Key = map(Key) };

    public override void Check(TypeRule rule) => CheckGather(rule, Cache, Pages, Page, Latent, Key);

    internal static void CheckGather(TypeRule rule, Value cache, Value pages, int page, Value latent, Value key)
    {
        rule.Activation("key", key);
        rule.Require(latent.Type.IsQuantised || latent.Type.Type == key.Type.Type, "latents are quantised or activations, as keys are");
        rule.Cache(cache, key, latent.Type.Width, key.Type.Width);
        rule.Type("pages", pages, DType.I32);
        rule.Shape("pages", pages, Dim.CeilDiv(latent.Type.Rows, page));
        rule.Shape("key", key, latent.Type.Rows, key.Type.Width);
    }
}
