using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// Merges the splits of <see cref="MlaDecodeOp"/>: partial <c>[T,P,h,rank]</c>, lse <c>[T,P,h]</c>, result <c>[T, h*rank]</c>.
/// </summary>
public sealed record MlaCombineOp(Value Partial, Value Lse, int Heads, Value Result) : Op
{
    public override string Mnemonic => "mla_combine";

    public override ImmutableArray<Value> Operands => [Partial, Lse];

    public override ImmutableArray<Value> Results => [Result];

    public override string Attributes => $"heads={Heads}";

    public override Op Map(Func<Value, Value> map) => this with { Partial = map(Partial), Lse = map(Lse), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Type("partial", Partial, DType.F32);
        rule.Type("lse", Lse, DType.F32);
        rule.Activation("result", Result);
        rule.Shape("lse", Lse, Partial.Type.Rows, Dim.Splits, Heads);
        rule.Shape("partial", Partial, Partial.Type.Rows, Dim.Splits, Heads, Partial.Type.Width);
        rule.Shape("result", Result, Partial.Type.Rows, Heads * Partial.Type.Width);
    }
}
