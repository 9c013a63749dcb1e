using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>E4M3 with one scale per 1 x 128 group of a row: x <c>[rows, W]</c>, result the same (V3 report, section 3.3.2).</summary>
public sealed record QuantizeOp(Value X, ScaleRounding Rounding, Value Result) : Op
{
    public override string Mnemonic => "quantize";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => Describe(Rounding).TrimStart();

    public override Op Map(Func<Value, Value> map) => this with { X = map(X), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Quantised("result", Result);
        rule.Shape("result", Result, X.Type.Rows, X.Type.Width);
    }

    internal static string Describe(ScaleRounding rounding) => rounding == ScaleRounding.PowerOfTwo ? " scale=pow2" : "";
}
