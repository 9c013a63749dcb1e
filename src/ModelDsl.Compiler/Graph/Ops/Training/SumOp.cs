using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>The sum of f32 numbers: losses of layers.</summary>
public sealed record SumOp(EquatableArray<Value> Terms, Value Result) : Op
{
    public override string Mnemonic => "sum";

    public override ImmutableArray<Value> Operands => Terms.Items;

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { Terms = Terms.Select(map).ToEquatable(), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        foreach (var term in Terms)
        {
            rule.Type("term", term, DType.F32);
            rule.Shape("term", term);
        }

        rule.Type("result", Result, DType.F32);
        rule.Shape("result", Result);
    }
}
