using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Gradients of causal attention in its plain form, its probabilities made again from <paramref name="Lse"/>: query <c>[T, h*(nope+rope)]</c>,
/// kv <c>[T, h*(nope+v)]</c>, key <c>[T, rope]</c>, output and gradient <c>[T, h*v]</c>, lse <c>[T, h]</c>; the key's gradient is summed over
/// the heads that share it.
/// </summary>
public sealed record MlaGradOp(
    Value Query, Value Kv, Value Key, Value Output, Value Lse, Value Gradient, MlaSpec Mla, double Scale,
    Value QueryGradient, Value KvGradient, Value KeyGradient) : Op
{
    public override string Mnemonic => "mla_dgrad";

    public override ImmutableArray<Value> Operands => [Query, Kv, Key, Output, Lse, Gradient];

    public override ImmutableArray<Value> Results => [QueryGradient, KvGradient, KeyGradient];

    public override string Attributes => MlaPrefillOp.Describe(Mla, Scale);

    public override Op Map(Func<Value, Value> map) => this with
    {
        Query = map(Query), Kv = map(Kv), Key = map(Key), Output = map(Output), Lse = map(Lse), Gradient = map(Gradient),
        QueryGradient = map(QueryGradient), KvGradient = map(KvGradient), KeyGradient = map(KeyGradient),
    };

    public override void Check(TypeRule rule)
    {
        rule.Activation("query", Query);
        rule.Type("lse", Lse, DType.F32);
        rule.Shape("lse", Lse, Query.Type.Rows, Mla.Heads);
        rule.SameShape("output and gradient", Output, Gradient);
        rule.SameShape("query and its gradient", Query, QueryGradient);
        rule.SameShape("kv and its gradient", Kv, KvGradient);
        rule.SameShape("key and its gradient", Key, KeyGradient);
    }
}
