using System.Collections.Immutable;
using System.Globalization;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// <c>gradient * factor * weight * (softmax(logits) - onehot(label))</c>, 0 in rows without a label; it may take the place of the logits,
/// f32 <c>[T,V]</c>.
/// </summary>
public sealed record CrossEntropyGradOp(
    Value Logits, Value Labels, Value Lse, Value Weight, Value Gradient, double Factor, Value Result) : Op
{
    public override string Mnemonic => "cross_entropy_dgrad";

    public override ImmutableArray<Value> Operands => [Logits, Labels, Lse, Weight, Gradient];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => Factor == 1 ? "" : $"factor={Factor.ToString("R", CultureInfo.InvariantCulture)}";

    public override ImmutableArray<Sharing> Shares => [new(Result, Logits, SharingKind.MayReuse)];

    public override Op Map(Func<Value, Value> map) => this with
    {
        Logits = map(Logits), Labels = map(Labels), Lse = map(Lse), Weight = map(Weight), Gradient = map(Gradient), Result = map(Result),
    };

    public override void Check(TypeRule rule)
    {
        rule.Type("logits", Logits, DType.F32);
        rule.Type("labels", Labels, DType.I32);
        rule.Shape("labels", Labels, Logits.Type.Rows);
        rule.Shape("lse", Lse, Logits.Type.Rows);
        rule.Shape("weight", Weight);
        rule.Shape("gradient", Gradient);
        rule.SameShape("logits and result", Logits, Result);
    }
}
