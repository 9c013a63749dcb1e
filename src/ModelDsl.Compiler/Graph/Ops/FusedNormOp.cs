using System.Collections.Immutable;
using System.Globalization;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// RMSNorm with what stands around it: <c>sum = x + delta</c> before it (both or neither), and a quantised copy of the result
/// after it. The normalised rows themselves are written where somebody needs them. All are <c>[rows, W]</c>.
/// </summary>
public sealed record FusedNormOp(
    Value X, Value? Delta, Value Weight, double Epsilon, ScaleRounding Rounding, Value? Sum, Value? Normalised, Value? Quantised) : Op
{
    public override string Mnemonic => (Delta, Quantised) switch
    {
        (not null, not null) => "residual_norm_quantize",
        (not null, null) => "residual_norm",
        _ => "norm_quantize",
    };

    public override ImmutableArray<Value> Operands => Values.Present(X, Delta, Weight);

    public override ImmutableArray<Value> Results => Values.Present(Sum, Normalised, Quantised);

    public override string Attributes =>
        $"epsilon={Epsilon.ToString("R", CultureInfo.InvariantCulture)}{(Quantised is null ? "" : QuantizeOp.Describe(Rounding))}";

    public override ImmutableArray<Sharing> Shares => Sum is null ? [] : [new(Sum, X, SharingKind.MayReuse)];

    public override Op Map(Func<Value, Value> map) => this with
    {
        X = map(X), Delta = map.MapOptional(Delta), Weight = map(Weight),
        Sum = map.MapOptional(Sum), Normalised = map.MapOptional(Normalised), Quantised = map.MapOptional(Quantised),
    };

    public override void Check(TypeRule rule)
    {
        rule.Require(Delta is not null == Sum is not null, "a residual has a sum, and only a residual has");
        rule.Require(Normalised is not null || Quantised is not null, "the normalised rows go nowhere");
        rule.Activation("x", X);
        rule.Type("weight", Weight, DType.F32);
        rule.Shape("weight", Weight, X.Type.Width);
        foreach (var value in Values.Present(Delta, Sum, Normalised))
        {
            rule.Same("x and the others", X, value);
            rule.Shape("value", value, X.Type.Rows, X.Type.Width);
        }

        if (Quantised is null) return;
        rule.Quantised("quantised", Quantised);
        rule.Shape("quantised", Quantised, X.Type.Rows, X.Type.Width);
    }
}
