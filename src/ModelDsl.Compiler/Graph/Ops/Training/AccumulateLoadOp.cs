using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>Adds how many rows each expert got to the sum of the step, in place: offsets i32 <c>[E+1]</c>, load i32 <c>[E]</c>.</summary>
public sealed record AccumulateLoadOp(Value Before, Value Offsets, Value After) : Op
{
    public override string Mnemonic => "accumulate_load";

    public override ImmutableArray<Value> Operands => [Before, Offsets];

    public override ImmutableArray<Value> Results => [After];

    public override ImmutableArray<Sharing> Shares => [new(After, Before, SharingKind.InPlace)];

    public override bool ChangesState => true;

    public override Op Map(Func<Value, Value> map) => this with { Before = map(Before), Offsets = map(Offsets), After = map(After) };

    public override void Check(TypeRule rule)
    {
        rule.Type("before", Before, DType.I32);
        rule.Type("offsets", Offsets, DType.I32);
        rule.Shape("offsets", Offsets, Before.Type.Rows + 1);
        rule.SameShape("before and after", Before, After);
    }
}
