using System.Collections.Immutable;
using System.Globalization;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary><c>decay * before + (1 - decay) * weight</c>, in place: the running mean of a weight, all f32 of one shape.</summary>
public sealed record AverageOp(Value Before, Value Weight, double Decay, Value After) : Op
{
    public override string Mnemonic => "average";

    public override ImmutableArray<Value> Operands => [Before, Weight];

    public override ImmutableArray<Value> Results => [After];

    public override string Attributes => $"decay={Decay.ToString("R", CultureInfo.InvariantCulture)}";

    public override ImmutableArray<Sharing> Shares => [new(After, Before, SharingKind.InPlace)];

    public override bool ChangesState => true;

    public override Op Map(Func<Value, Value> map) => this with { Before = map(Before), Weight = map(Weight), After = map(After) };

    public override void Check(TypeRule rule)
    {
        rule.Type("before", Before, DType.F32);
        rule.Type("weight", Weight, DType.F32);
        rule.SameShape("average and weight", Before, Weight);
        rule.Require(Before.Type.Equals(After.Type), "the average keeps its type");
    }
}
