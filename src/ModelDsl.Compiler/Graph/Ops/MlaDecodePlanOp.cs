using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>Where the pages of each sequence begin on the line that <see cref="MlaDecodePartsOp"/> cuts into parts: lengths <c>[T]</c>, starts <c>[T+1]</c>.</summary>
public sealed record MlaDecodePlanOp(Value Lengths, Value Starts) : Op
{
    public override string Mnemonic => "mla_decode_plan";

    public override ImmutableArray<Value> Operands => [Lengths];

    public override ImmutableArray<Value> Results => [Starts];

    public override Op Map(Func<Value, Value> map) => this with { Lengths = map(Lengths), Starts = map(Starts) };

    public override void Check(TypeRule rule)
    {
        rule.Type("lengths", Lengths, DType.I32);
        rule.Type("starts", Starts, DType.I32);
        rule.Shape("starts", Starts, Lengths.Type.Rows + 1);
    }
}
