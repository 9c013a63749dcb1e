using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Collectives;

/// <summary>
/// Tells every rank how many rows it will get for each of its experts: from offsets i32 <c>[E+1]</c> of the rank's own rows to
/// counts <c>[n, E/n]</c> by sender and expert, and offsets <c>[E/n+1]</c> and row tiles of what arrives, expert by expert, within
/// one by sender. The number of rows that arrive is that of rows sent, R, on average.
/// </summary>
public sealed record ExchangeCountsOp(Value Offsets, CommGroup Group, Value Counts, Value LocalOffsets, Value TileExpert, Value TileRow) : Op
{
    public override string Mnemonic => "exchange_counts";

    public override ImmutableArray<Value> Operands => [Offsets];

    public override ImmutableArray<Value> Results => [Counts, LocalOffsets, TileExpert, TileRow];

    public override string Attributes => $"over={Group}";

    public override Op Map(Func<Value, Value> map) => this with
    {
        Offsets = map(Offsets), Counts = map(Counts), LocalOffsets = map(LocalOffsets), TileExpert = map(TileExpert), TileRow = map(TileRow),
    };

    public override void Check(TypeRule rule)
    {
        rule.Type("offsets", Offsets, DType.I32);
        foreach (var result in Results) rule.Type("result", result, DType.I32);
        rule.Shape("counts", Counts, Group.Size, Counts.Type.Width);
        rule.Shape("offsets", Offsets, Group.Size * Counts.Type.Width + 1);
        rule.Shape("local offsets", LocalOffsets, Counts.Type.Width + 1);
        rule.SameShape("tiles", TileExpert, TileRow);
    }
}
