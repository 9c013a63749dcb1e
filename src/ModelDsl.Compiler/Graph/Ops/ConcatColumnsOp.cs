using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>Rows of a and b side by side: a <c>[T,W]</c>, b <c>[T,V]</c>, result <c>[T,W+V]</c>.</summary>
public sealed record ConcatColumnsOp(Value A, Value B, Value Result) : Op
{
    public override string Mnemonic => "concat_columns";

    public override ImmutableArray<Value> Operands => [A, B];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { A = map(A), B = map(B), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("a", A);
        rule.Same("a and b", A, B);
        rule.Same("a and result", A, Result);
        rule.Shape("b", B, A.Type.Rows, B.Type.Width);
        rule.Shape("result", Result, A.Type.Rows, A.Type.Width + B.Type.Width);
    }
}
