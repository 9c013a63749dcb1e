using System.Collections.Immutable;
using System.Globalization;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>
/// Causal attention in its plain form (V2 report, section 2.1): q <c>[T, h*(nope+rope)]</c>, kv <c>[S, h*(nope+v)]</c>, key
/// <c>[S, rope]</c>, result <c>[T, h*v]</c>; query i stands at position <c>S - T + i</c>.
/// </summary>
/// <param name="Lse">Logarithm of every softmax's denominator, f32 <c>[T, h]</c>: what the backward pass needs; null: nobody does.</param>
public sealed record MlaPrefillOp(Value Query, Value Kv, Value Key, MlaSpec Mla, double Scale, Value Result, Value? Lse = null) : Op
{
    public override string Mnemonic => "mla_prefill";

    public override ImmutableArray<Value> Operands => [Query, Kv, Key];

    public override ImmutableArray<Value> Results => Values.Present(Result, Lse);

    public override string Attributes => Describe(Mla, Scale);

    public override Op Map(Func<Value, Value> map) =>
        this with { Query = map(Query), Kv = map(Kv), Key = map(Key), Result = map(Result), Lse = map.MapOptional(Lse) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("query", Query);
        rule.Same("query and kv", Query, Kv);
        rule.Same("query and key", Query, Key);
        rule.Same("query and result", Query, Result);
        rule.Shape("query", Query, Query.Type.Rows, Mla.Heads * Mla.QkDim);
        rule.Shape("kv", Kv, Kv.Type.Rows, Mla.Heads * (Mla.NopeDim + Mla.VDim));
        rule.Shape("key", Key, Kv.Type.Rows, Mla.RopeDim);
        rule.Shape("result", Result, Query.Type.Rows, Mla.Heads * Mla.VDim);
        if (Lse is null) return;
        rule.Type("lse", Lse, DType.F32);
        rule.Shape("lse", Lse, Query.Type.Rows, Mla.Heads);
    }

    internal static string Describe(MlaSpec mla, double scale) => $"heads={mla.Heads} scale={scale.ToString("G9", CultureInfo.InvariantCulture)}";
}
