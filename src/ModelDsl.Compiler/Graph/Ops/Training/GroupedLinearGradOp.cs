using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>Gradient of the rows that entered one product per expert: gradient <c>[R,N]</c>, weight <c>[E,N,K]</c>, result <c>[R,K]</c>.</summary>
public sealed record GroupedLinearGradOp(
    Value Gradient, Value Weight, Value Offsets, Value TileExpert, Value TileRow, int Active, Value Result) : Op
{
    public override string Mnemonic => "grouped_dgrad";

    public override ImmutableArray<Value> Operands => [Gradient, Weight, Offsets, TileExpert, TileRow];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with
    {
        Gradient = map(Gradient), Weight = map(Weight), Offsets = map(Offsets), TileExpert = map(TileExpert), TileRow = map(TileRow), Result = map(Result),
    };

    public override void Check(TypeRule rule)
    {
        rule.Activation("gradient", Gradient);
        rule.Activation("result", Result);
        rule.Require(Weight.Type.Rank == 3, "the weight is a stack of matrices");
        if (Weight.Type.Rank != 3) return;
        rule.Shape("gradient", Gradient, Gradient.Type.Rows, Weight.Type.Shape[1]);
        rule.Shape("result", Result, Gradient.Type.Rows, Weight.Type.Width);
        rule.Shape("offsets", Offsets, Weight.Type.Rows + 1);
        rule.Shape("tile_expert", TileExpert, Gradient.Type.Rows);
        rule.Shape("tile_row", TileRow, Gradient.Type.Rows);
    }
}
