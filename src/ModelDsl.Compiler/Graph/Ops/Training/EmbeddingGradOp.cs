using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// Gradient of the embedding: each id's row gets the sum of its tokens' gradients. Ids <c>[T]</c>, those of -1 count nowhere; gradient
/// <c>[T,H]</c>, result <c>[V,H]</c>.
/// </summary>
public sealed record EmbeddingGradOp(Value Ids, Value Gradient, Value Result) : Op
{
    public override string Mnemonic => "embedding_wgrad";

    public override ImmutableArray<Value> Operands => [Ids, Gradient];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { Ids = map(Ids), Gradient = map(Gradient), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Type("ids", Ids, DType.I32);
        rule.Activation("gradient", Gradient);
        rule.Type("result", Result, DType.F32);
        rule.Shape("gradient", Gradient, Ids.Type.Rows, Gradient.Type.Width);
        rule.Shape("result", Result, Result.Type.Rows, Gradient.Type.Width);
    }
}
