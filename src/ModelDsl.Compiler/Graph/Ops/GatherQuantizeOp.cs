using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary><see cref="CacheGatherOp"/> whose latents leave in E4M3, as the up-projection wants them.</summary>
public sealed record GatherQuantizeOp(Value Cache, Value Pages, int Page, ScaleRounding Rounding, Value Latent, Value Key) : Op
{
    public override string Mnemonic => "gather_quantize";

    public override ImmutableArray<Value> Operands => [Cache, Pages];

    public override ImmutableArray<Value> Results => [Latent, Key];

    public override string Attributes => $"page={Page}{QuantizeOp.Describe(Rounding)}";

    public override Op Map(Func<Value, Value> map) =>
        this with { Cache = map(Cache), Pages = map(Pages), Latent = map(Latent), Key = map(Key) };

    public override void Check(TypeRule rule)
    {
        rule.Quantised("latent", Latent);
        CacheGatherOp.CheckGather(rule, Cache, Pages, Page, Latent, Key);
    }
}
