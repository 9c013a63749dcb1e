using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// Groups the R = T*k rows by expert, in token order within one: indices <c>[T,k]</c>; offsets <c>[E+1]</c>, row_of <c>[T,k]</c>,
/// source <c>[R]</c>, and the list of row tiles that a grouped product works off, at most R of them.
/// </summary>
public sealed record DispatchOp(
    Value Indices, int Experts, Value Offsets, Value RowOf, Value Source, Value TileExpert, Value TileRow) : Op
{
    public override string Mnemonic => "dispatch";

    public override ImmutableArray<Value> Operands => [Indices];

    public override ImmutableArray<Value> Results => [Offsets, RowOf, Source, TileExpert, TileRow];

    public override string Attributes => $"experts={Experts}";

    public override Op Map(Func<Value, Value> map) => this with
    {
        Indices = map(Indices), Offsets = map(Offsets), RowOf = map(RowOf), Source = map(Source),
        TileExpert = map(TileExpert), TileRow = map(TileRow),
    };

    public override void Check(TypeRule rule)
    {
        foreach (var value in Operands) rule.Type("indices", value, DType.I32);
        foreach (var value in Results) rule.Type("result", value, DType.I32);
        var rows = Indices.Type.Rows * Indices.Type.Width;
        rule.Shape("offsets", Offsets, Experts + 1);
        rule.Shape("row_of", RowOf, Indices.Type.Rows, Indices.Type.Width);
        rule.Shape("source", Source, rows);
        rule.Shape("tile_expert", TileExpert, rows);
        rule.Shape("tile_row", TileRow, rows);
    }
}
