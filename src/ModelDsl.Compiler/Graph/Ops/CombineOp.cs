using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// <c>shared[t] + sum_j weights[t,j] * y[row_of[t,j]]</c>: y <c>[R,W]</c>, row_of and weights <c>[T,k]</c>, shared <c>[T,W]</c> or
/// none, result <c>[T,W]</c>.
/// </summary>
public sealed record CombineOp(Value Y, Value RowOf, Value Weights, Value? Shared, Value Result) : Op
{
    public override string Mnemonic => "combine";

    public override ImmutableArray<Value> Operands => Values.Present(Y, RowOf, Weights, Shared);

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with
    {
        Y = map(Y), RowOf = map(RowOf), Weights = map(Weights), Shared = map.MapOptional(Shared), Result = map(Result),
    };

    public override void Check(TypeRule rule)
    {
        rule.Activation("y", Y);
        rule.Same("y and result", Y, Result);
        rule.Type("row_of", RowOf, DType.I32);
        rule.Type("weights", Weights, DType.F32);
        rule.Shape("weights", Weights, RowOf.Type.Rows, RowOf.Type.Width);
        rule.Shape("y", Y, RowOf.Type.Rows * RowOf.Type.Width, Y.Type.Width);
        rule.Shape("result", Result, RowOf.Type.Rows, Y.Type.Width);
        if (Shared is null) return;
        rule.Same("y and shared", Y, Shared);
        rule.Shape("shared", Shared, RowOf.Type.Rows, Y.Type.Width);
    }
}
