using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Balance without a loss: <c>bias_e + rate * sign(mean(load) - load_e)</c>, in place (V3 report, section 2.1.2; arXiv 2408.15664,
/// algorithm 1). Bias f32 <c>[E]</c>, load i32 <c>[E]</c> of all tokens of the step, rate an f32 number.
/// </summary>
public sealed record UpdateBiasOp(Value Before, Value Load, Value Rate, Value After) : Op
{
    public override string Mnemonic => "update_bias";

    public override ImmutableArray<Value> Operands => [Before, Load, Rate];

    public override ImmutableArray<Value> Results => [After];

    public override ImmutableArray<Sharing> Shares => [new(After, Before, SharingKind.InPlace)];

    public override bool ChangesState => true;

    public override Op Map(Func<Value, Value> map) =>
        this with { Before = map(Before), Load = map(Load), Rate = map(Rate), After = map(After) };

    public override void Check(TypeRule rule)
    {
        rule.Type("before", Before, DType.F32);
        rule.Type("load", Load, DType.I32);
        rule.SameShape("bias and load", Before, Load);
        rule.Shape("rate", Rate);
        rule.Require(Before.Type.Equals(After.Type), "the bias keeps its type");
    }
}
