using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// Rotates pairs (2i, 2i+1) of the last <paramref name="RopeDim"/> components of every head, in place: q <c>[T, heads * (nope + rope)]</c>.
/// </summary>
/// <param name="Back">By the opposite angle: what a gradient needs.</param>
public sealed record RopeQueryOp(
    Value Query, Value Cos, Value Sin, Value Positions, int Heads, int NopeDim, int RopeDim, Value Result, bool Back = false) : Op
{
    public override string Mnemonic => "rope_query";

    public override ImmutableArray<Value> Operands => [Query, Cos, Sin, Positions];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"heads={Heads} nope={NopeDim} rope={RopeDim}{(Back ? " back" : "")}";

    public override ImmutableArray<Sharing> Shares => [new(Result, Query, SharingKind.InPlace)];

    public override Op Map(Func<Value, Value> map) =>
        this with { Query = map(Query), Cos = map(Cos), Sin = map(Sin), Positions = map(Positions), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("query", Query);
        rule.Shape("query", Query, Positions.Type.Rows, Heads * (NopeDim + RopeDim));
        rule.Type("positions", Positions, DType.I32);
        rule.Shape("cos", Cos, Cos.Type.Rows, RopeDim / 2);
        rule.Shape("sin", Sin, Cos.Type.Rows, RopeDim / 2);
        rule.Same("query and result", Query, Result);
        rule.Shape("result", Result, Query.Type.Rows, Query.Type.Width);
    }
}
