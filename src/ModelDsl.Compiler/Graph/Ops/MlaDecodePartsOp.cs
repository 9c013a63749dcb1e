using System.Collections.Immutable;
using System.Globalization;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// <see cref="MlaDecodeOp"/> with the pages of all sequences dealt out evenly: a fixed number of parts, each of which may end one sequence and begin the next. Sequences that one part has whole are
/// ready in the result <c>[T, h*rank]</c> and lse f32 <c>[T,h]</c>; of others there are pieces, two for each part: partial f32 <c>[2P, h*rank]</c>, partial_lse f32 <c>[2P,h]</c>.
/// </summary>
public sealed record MlaDecodePartsOp(
    Value QueryLatent, Value Query, Value Cache, Value Pages, Value Lengths, Value Starts,
    MlaSpec Mla, double Scale, int Parts, Value Result, Value Lse, Value Partial, Value PartialLse) : Op
{
    public override string Mnemonic => "mla_decode_parts";

    public override ImmutableArray<Value> Operands => [QueryLatent, Query, Cache, Pages, Lengths, Starts];

    public override ImmutableArray<Value> Results => [Result, Lse, Partial, PartialLse];

    public override string Attributes => $"heads={Mla.Heads} parts={Parts} scale={Scale.ToString("G9", CultureInfo.InvariantCulture)}";

    public override Op Map(Func<Value, Value> map) => this with
    {
        QueryLatent = map(QueryLatent), Query = map(Query), Cache = map(Cache), Pages = map(Pages), Lengths = map(Lengths), Starts = map(Starts),
        Result = map(Result), Lse = map(Lse), Partial = map(Partial), PartialLse = map(PartialLse),
    };

    public override void Check(TypeRule rule)
    {
        var rows = Query.Type.Rows;
        rule.Same("query and q_latent", Query, QueryLatent);
        rule.Same("query and result", Query, Result);
        rule.Shape("query", Query, rows, Mla.Heads * Mla.QkDim);
        rule.Shape("q_latent", QueryLatent, rows, Mla.Heads * Mla.KvRank);
        rule.Cache(Cache, Query, Mla.KvRank, Mla.RopeDim);
        rule.Shape("pages", Pages, rows, Dim.MaxPages);
        rule.Shape("lengths", Lengths, rows);
        rule.Shape("starts", Starts, rows + 1);
        rule.Shape("result", Result, rows, Mla.Heads * Mla.KvRank);
        rule.Type("lse", Lse, DType.F32);
        rule.Shape("lse", Lse, rows, Mla.Heads);
        rule.Type("partial", Partial, DType.F32);
        rule.Shape("partial", Partial, 2 * Parts, Mla.Heads * Mla.KvRank);
        rule.Type("partial_lse", PartialLse, DType.F32);
        rule.Shape("partial_lse", PartialLse, 2 * Parts, Mla.Heads);
    }
}
