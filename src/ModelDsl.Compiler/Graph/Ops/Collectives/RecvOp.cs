using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Collectives;

/// <summary>Takes what <see cref="SendOp"/> of another stage gives.</summary>
/// <param name="Slot">Which of the values that cross between the two stages.</param>
/// <param name="IsGradient">It goes backwards.</param>
public sealed record RecvOp(int Slot, int From, Value Result, bool IsGradient = false) : Op
{
    public override string Mnemonic => "recv";

    public override ImmutableArray<Value> Operands => [];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"from={From} slot={Slot}";

    public override Op Map(Func<Value, Value> map) => this with { Result = map(Result) };

    public override void Check(TypeRule rule)
    {
    }
}
