using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>One product per expert with the rows that it got: x <c>[R,K]</c>, weight <c>[E,N,K]</c>, result <c>[R,N]</c>.</summary>
/// <param name="Active">Experts per token: R is that many times the tokens.</param>
public sealed record GroupedLinearOp(
    Value X, Value Weight, Value Offsets, Value TileExpert, Value TileRow, int Active, Value Result) : Op
{
    public override string Mnemonic => "grouped_linear";

    public override ImmutableArray<Value> Operands => [X, Weight, Offsets, TileExpert, TileRow];

    public override ImmutableArray<Value> Results => [Result];

    /// <summary>The part of the model that a precision policy can keep wide.</summary>
    public ModelPart Part => ModelPart.Experts;

    public override Op Map(Func<Value, Value> map) => this with
    {
        X = map(X), Weight = map(Weight), Offsets = map(Offsets),
        TileExpert = map(TileExpert), TileRow = map(TileRow), Result = map(Result),
    };

    public override void Check(TypeRule rule)
    {
        rule.Product(X, Weight, Result);
        rule.Require(Weight.Type.Rank == 3, "the weight is a stack of matrices");
        if (Weight.Type.Rank != 3) return;
        rule.Shape("weight", Weight, Weight.Type.Shape[0], Weight.Type.Shape[1], X.Type.Width);
        rule.Shape("result", Result, X.Type.Rows, Weight.Type.Shape[1]);
        rule.Shape("offsets", Offsets, Weight.Type.Shape[0] + 1);
        rule.Shape("tile_expert", TileExpert, X.Type.Rows);
        rule.Shape("tile_row", TileRow, X.Type.Rows);
    }
}
