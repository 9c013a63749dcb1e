using System.Collections.Immutable;

namespace ModelDsl.Compiler.Graph.Ops;

/// <summary>Rows of the embedding: ids <c>[T]</c>, table <c>[V,H]</c>, result <c>[T,H]</c>. The row of the id -1, in training, is 0.</summary>
public sealed record EmbeddingOp(Value Ids, Value Table, Value Result) : Op
{
    public override string Mnemonic => "embedding";

    public override ImmutableArray<Value> Operands => [Ids, Table];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { Ids = map(Ids), Table = map(Table), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Type("ids", Ids, DType.I32);
        rule.Activation("table", Table);
        rule.Activation("result", Result);
        rule.Shape("result", Result, Ids.Type.Rows, Table.Type.Width);
    }
}
