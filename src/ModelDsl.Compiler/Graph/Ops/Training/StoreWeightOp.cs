using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>Writes a new weight over the one that the next step computes with, in its format: both of one shape.</summary>
public sealed record StoreWeightOp(Value Before, Value Master, Value After) : Op
{
    public override string Mnemonic => "store_weight";

    public override ImmutableArray<Value> Operands => [Before, Master];

    public override ImmutableArray<Value> Results => [After];

    public override ImmutableArray<Sharing> Shares => [new(After, Before, SharingKind.InPlace)];

    public override bool ChangesState => true;

    public override Op Map(Func<Value, Value> map) => this with { Before = map(Before), Master = map(Master), After = map(After) };

    public override void Check(TypeRule rule)
    {
        rule.SameShape("weight and master", Before, Master);
        rule.Require(Before.Type.Equals(After.Type), "the weight keeps its type");
    }
}
