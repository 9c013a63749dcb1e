using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>Gradient of both halves of a SwiGLU's input: x and result <c>[rows, gate .. up ..]</c>, gradient <c>[rows, W]</c>.</summary>
public sealed record SwiGluGradOp(Value X, Value Gradient, int UpOffset, Value Result) : Op
{
    public override string Mnemonic => "swiglu_dgrad";

    public override ImmutableArray<Value> Operands => [X, Gradient];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"up={UpOffset}";

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Gradient = map(Gradient), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.SameShape("x and result", X, Result);
        rule.Shape("gradient", Gradient, X.Type.Rows, Gradient.Type.Width);
        rule.Require(
            Gradient.Type.Width <= UpOffset && UpOffset + Gradient.Type.Width <= X.Type.Width, "gate and up lie beside each other in x");
    }
}
