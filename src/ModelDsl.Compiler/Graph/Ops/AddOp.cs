using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// The sum <c>a + b</c> of values of one shape: what a block adds to the stream, gradients of a value that was read twice, losses. It
/// may take the place of <c>a</c>.
/// </summary>
public sealed record AddOp(Value A, Value B, Value Result) : Op
{
    public override string Mnemonic => "add";

    public override ImmutableArray<Value> Operands => [A, B];

    public override ImmutableArray<Value> Results => [Result];

    public override ImmutableArray<Sharing> Shares => [new(Result, A, SharingKind.MayReuse)];

    public override Op Map(Func<Value, Value> map) => this with { A = map(A), B = map(B), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("a", A);
        rule.Same("a and b", A, B);
        rule.Same("a and result", A, Result);
        rule.SameShape("a and b", A, B);
        rule.SameShape("a and result", A, Result);
    }
}
