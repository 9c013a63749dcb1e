using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Collectives;

/// <summary>Gives a value to another stage of the pipeline; <see cref="RecvOp"/> there has the same slot.</summary>
/// <param name="Slot">Which of the values that cross between the two stages.</param>
/// <param name="IsGradient">It goes backwards.</param>
public sealed record SendOp(Value X, int Slot, int To, bool IsGradient = false) : Op
{
    public override string Mnemonic => "send";

    public override ImmutableArray<Value> Operands => [X];

    public override ImmutableArray<Value> Results => [];

    public override string Attributes => $"to={To} slot={Slot}";

    public override bool ChangesState => true;

    public override Op Map(Func<Value, Value> map) => this with { X = map(X) };

    public override void Check(TypeRule rule)
    {
    }
}
