using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// Writes the normalised latent <c>[T, rank]</c> and the rotated key <c>[T, rope]</c> to rows <c>slots[t]</c> of the cache.
/// </summary>
/// <param name="Result">The cache with the new rows.</param>
public sealed record CacheWriteOp(Value Latent, Value Key, Value Slots, Value Cache, Value Result) : Op
{
    public override string Mnemonic => "cache_write";

    public override ImmutableArray<Value> Operands => [Latent, Key, Slots, Cache];

    public override ImmutableArray<Value> Results => [Result];

    public override ImmutableArray<Sharing> Shares => [new(Result, Cache, SharingKind.InPlace)];

    public override Op Map(Func<Value, Value> map) =>
        this with { Latent = map(Latent), Key = map(Key), Slots = map(Slots), Cache = map(Cache), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("latent", Latent);
        rule.Same("latent and key", Latent, Key);
        rule.Same("latent and cache", Latent, Cache);
        rule.Shape("cache", Cache, Latent.Type.Width + Key.Type.Width);
        rule.Shape("key", Key, Latent.Type.Rows, Key.Type.Width);
        rule.Shape("slots", Slots, Latent.Type.Rows);
        rule.Require(Result.Type == Cache.Type, "a cache keeps its type");
    }
}
