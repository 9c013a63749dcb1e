using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>The sum of the squares of all elements of gradients of any shape: an f32 number.</summary>
public sealed record SquareSumOp(EquatableArray<Value> Gradients, Value Result) : Op
{
    public override string Mnemonic => "square_sum";

    public override ImmutableArray<Value> Operands => Gradients.Items;

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { Gradients = Gradients.Select(map).ToEquatable(), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        foreach (var gradient in Gradients) rule.Type("gradient", gradient, DType.F32);
        rule.Type("result", Result, DType.F32);
        rule.Shape("result", Result);
    }
}
