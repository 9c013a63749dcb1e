using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// <c>silu(gate) * up</c>: x <c>[rows, gate .. up ..]</c> with <c>up</c> from column <paramref name="UpOffset"/> on, result
/// <c>[rows, W]</c>.
/// </summary>
/// <param name="Rounding">How the scales of a quantised result are rounded.</param>
public sealed record SwiGluOp(Value X, int UpOffset, Value Result, ScaleRounding? Rounding = null) : Op
{
    public override string Mnemonic => Rounding is null ? "swiglu" : "swiglu_quantize";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"up={UpOffset}{(Rounding is { } rounding ? QuantizeOp.Describe(rounding) : "")}";

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        if (Rounding is null) rule.Same("x and result", X, Result);
        else rule.Quantised("result", Result);
        rule.Shape("result", Result, X.Type.Rows, Result.Type.Width);
        rule.Require(
            Result.Type.Width <= UpOffset && UpOffset + Result.Type.Width <= X.Type.Width, "gate and up lie beside each other in x");
    }
}
