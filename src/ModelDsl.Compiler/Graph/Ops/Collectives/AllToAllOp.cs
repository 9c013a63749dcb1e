using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops.Collectives;

/// <summary>
/// Rows to the ranks of their experts, or the way back: x and result <c>[R, W]</c>, offsets i32 <c>[E+1]</c> of the rank's own rows,
/// counts <c>[n, E/n]</c>. Each direction is the gradient of the other.
/// </summary>
/// <param name="Back">From the experts to the ranks whose tokens they are, in the order in which they were sent.</param>
/// <param name="Wire">In which format rows travel: to experts as dispatched, back as combined; null: as they are.</param>
public sealed record AllToAllOp(Value X, Value Offsets, Value Counts, CommGroup Group, bool Back, WireSpec? Wire, Value Result) : Op
{
    public override string Mnemonic => "all_to_all";

    public override ImmutableArray<Value> Operands => [X, Offsets, Counts];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"{(Back ? "to_tokens" : "to_experts")} over={Group}{(Format is { } format ? $" wire={Text(format)}" : "")}";

    /// <summary>The format on the wire; null: that of x.</summary>
    public NumberFormat? Format => Back ? Wire?.Combine.Format : Wire?.Dispatch.Format;

    public override Op Map(Func<Value, Value> map) =>
        this with { X = map(X), Offsets = map(Offsets), Counts = map(Counts), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("x", X);
        rule.Type("offsets", Offsets, DType.I32);
        rule.Type("counts", Counts, DType.I32);
        rule.SameShape("x and result", X, Result);
    }

    private static string Text(NumberFormat format) => format.ToString().ToLowerInvariant();
}
