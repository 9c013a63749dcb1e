using System.Collections.Immutable;
using System.Globalization;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// RMSNorm of the latent, RoPE of the shared key and the write of both to the cache, in one: kv <c>[T, rank + rope]</c>,
/// weight <c>[rank]</c>.
/// </summary>
/// <param name="Result">The cache with the new rows.</param>
public sealed record LatentCacheOp(
    Value Kv, Value Weight, double Epsilon, Value Cos, Value Sin, Value Positions, Value Slots, Value Cache, Value Result) : Op
{
    public override string Mnemonic => "latent_cache";

    public override ImmutableArray<Value> Operands => [Kv, Weight, Cos, Sin, Positions, Slots, Cache];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"epsilon={Epsilon.ToString("R", CultureInfo.InvariantCulture)}";

    public override ImmutableArray<Sharing> Shares => [new(Result, Cache, SharingKind.InPlace)];

    public override Op Map(Func<Value, Value> map) => this with
    {
        Kv = map(Kv), Weight = map(Weight), Cos = map(Cos), Sin = map(Sin),
        Positions = map(Positions), Slots = map(Slots), Cache = map(Cache), Result = map(Result),
    };

    public override void Check(TypeRule rule)
    {
        rule.Activation("kv", Kv);
        rule.Type("weight", Weight, DType.F32);
        rule.Shape("cos", Cos, Cos.Type.Rows, (Kv.Type.Width - Weight.Type.Width) / 2);
        rule.Shape("sin", Sin, Cos.Type.Rows, (Kv.Type.Width - Weight.Type.Width) / 2);
        rule.Shape("positions", Positions, Kv.Type.Rows);
        rule.Shape("slots", Slots, Kv.Type.Rows);
        rule.Cache(Cache, Kv, Weight.Type.Width, Kv.Type.Width - Weight.Type.Width);
        rule.Require(Result.Type == Cache.Type, "a cache keeps its type");
    }
}
