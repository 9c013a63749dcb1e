using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>Adds a gradient to the sum of those before, in place: both F32, of the weight's shape.</summary>
public sealed record AccumulateGradientOp(Value Before, Value Gradient, Value After) : Op
{
    public override string Mnemonic => "accumulate";

    public override ImmutableArray<Value> Operands => [Before, Gradient];

    public override ImmutableArray<Value> Results => [After];

    public override ImmutableArray<Sharing> Shares => [new(After, Before, SharingKind.InPlace)];

    public override bool ChangesState => true;

    public override Op Map(Func<Value, Value> map) => this with { Before = map(Before), Gradient = map(Gradient), After = map(After) };

    public override void Check(TypeRule rule)
    {
        rule.Type("before", Before, DType.F32);
        rule.Type("gradient", Gradient, DType.F32);
        rule.SameShape("before and gradient", Before, Gradient);
        rule.SameShape("before and after", Before, After);
    }
}
