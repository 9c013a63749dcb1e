using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>Merges the pieces of <see cref="MlaDecodePartsOp"/> into its result and lse, in place, where a sequence has several.</summary>
public sealed record MlaCombinePartsOp(Value Partial, Value PartialLse, Value Starts, Value Ready, Value ReadyLse, int Heads, int Parts, Value Result, Value Lse) : Op
{
    public override string Mnemonic => "mla_combine_parts";

    public override ImmutableArray<Value> Operands => [Partial, PartialLse, Starts, Ready, ReadyLse];

    public override ImmutableArray<Value> Results => [Result, Lse];

    public override string Attributes => $"heads={Heads} parts={Parts}";

    public override ImmutableArray<Sharing> Shares => [new(Result, Ready, SharingKind.InPlace), new(Lse, ReadyLse, SharingKind.InPlace)];

    public override Op Map(Func<Value, Value> map) => this with
    {
        Partial = map(Partial), PartialLse = map(PartialLse), Starts = map(Starts), Ready = map(Ready), ReadyLse = map(ReadyLse), Result = map(Result), Lse = map(Lse),
    };

    public override void Check(TypeRule rule)
    {
        rule.Shape("partial", Partial, 2 * Parts, Result.Type.Width);
        rule.Shape("partial_lse", PartialLse, 2 * Parts, Heads);
        rule.Shape("starts", Starts, Result.Type.Rows + 1);
        rule.Same("ready and result", Ready, Result);
        rule.SameShape("ready and result", Ready, Result);
        rule.SameShape("ready and lse", ReadyLse, Lse);
    }
}
