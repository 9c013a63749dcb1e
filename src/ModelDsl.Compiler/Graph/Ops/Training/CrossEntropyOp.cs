using System.Collections.Immutable;
using System.Globalization;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// <c>factor * weight * sum_t (lse_t - logits[t, label_t])</c> over the rows with a label: logits f32 <c>[T,V]</c>, labels <c>[T]</c>, -1 for
/// none, weight and loss f32 numbers, lse f32 <c>[T]</c>.
/// </summary>
public sealed record CrossEntropyOp(Value Logits, Value Labels, Value Weight, double Factor, Value Loss, Value Lse) : Op
{
    public override string Mnemonic => "cross_entropy";

    public override ImmutableArray<Value> Operands => [Logits, Labels, Weight];

    public override ImmutableArray<Value> Results => [Loss, Lse];

    public override string Attributes => Factor == 1 ? "" : $"factor={Factor.ToString("R", CultureInfo.InvariantCulture)}";

    public override Op Map(Func<Value, Value> map) => this with
    {
        Logits = map(Logits), Labels = map(Labels), Weight = map(Weight), Loss = map(Loss), Lse = map(Lse),
    };

    public override void Check(TypeRule rule)
    {
        rule.Type("logits", Logits, DType.F32);
        rule.Type("labels", Labels, DType.I32);
        rule.Shape("labels", Labels, Logits.Type.Rows);
        rule.Shape("weight", Weight);
        rule.Type("loss", Loss, DType.F32);
        rule.Shape("loss", Loss);
        rule.Type("lse", Lse, DType.F32);
        rule.Shape("lse", Lse, Logits.Type.Rows);
    }
}
