using System.Collections.Immutable;
using System.Globalization;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// Absorbed attention of one new token per sequence over its pages, in P splits: q_latent <c>[T, h*rank]</c>, q
/// <c>[T, h*(nope+rope)]</c> (its rotated part is read), pages <c>[T,M]</c>, lengths <c>[T]</c>; partial f32 <c>[T,P,h,rank]</c>,
/// lse f32 <c>[T,P,h]</c>.
/// </summary>
/// <param name="SplitPages">Pages of one split.</param>
public sealed record MlaDecodeOp(
    Value QueryLatent, Value Query, Value Cache, Value Pages, Value Lengths,
    MlaSpec Mla, double Scale, int Page, int SplitPages, Value Partial, Value Lse) : Op
{
    public override string Mnemonic => "mla_decode";

    public override ImmutableArray<Value> Operands => [QueryLatent, Query, Cache, Pages, Lengths];

    public override ImmutableArray<Value> Results => [Partial, Lse];

    public override string Attributes =>
        $"heads={Mla.Heads} page={Page} split={SplitPages} scale={Scale.ToString("G9", CultureInfo.InvariantCulture)}";

    public override Op Map(Func<Value, Value> map) => this with
    {
        QueryLatent = map(QueryLatent), Query = map(Query), Cache = map(Cache), Pages = map(Pages), Lengths = map(Lengths),
        Partial = map(Partial), Lse = map(Lse),
    };

    public override void Check(TypeRule rule)
    {
        var rows = Query.Type.Rows;
        rule.Activation("query", Query);
        rule.Same("query and q_latent", Query, QueryLatent);
        rule.Same("query and cache", Query, Cache);
        rule.Shape("query", Query, rows, Mla.Heads * Mla.QkDim);
        rule.Shape("q_latent", QueryLatent, rows, Mla.Heads * Mla.KvRank);
        rule.Shape("cache", Cache, Mla.CacheWidth);
        rule.Shape("pages", Pages, rows, Dim.MaxPages);
        rule.Shape("lengths", Lengths, rows);
        rule.Type("partial", Partial, DType.F32);
        rule.Shape("partial", Partial, rows, Dim.Splits, Mla.Heads, Mla.KvRank);
        rule.Type("lse", Lse, DType.F32);
        rule.Shape("lse", Lse, rows, Dim.Splits, Mla.Heads);
    }
}
