using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>Gradient of a linear layer's input, <c>gradient · weight</c>: gradient <c>[M,N]</c>, weight <c>[N,K]</c>, result <c>[M,K]</c>.</summary>
public sealed record LinearGradOp(Value Gradient, Value Weight, ModelPart? Part, Value Result) : Op
{
    public override string Mnemonic => "linear_dgrad";

    public override ImmutableArray<Value> Operands => [Gradient, Weight];

    public override ImmutableArray<Value> Results => [Result];

    public override Op Map(Func<Value, Value> map) => this with { Gradient = map(Gradient), Weight = map(Weight), Result = map(Result) };

    public override void Check(TypeRule rule)
    {
        rule.Activation("gradient", Gradient);
        rule.Activation("result", Result);
        rule.Shape("gradient", Gradient, Gradient.Type.Rows, Weight.Type.Rows);
        rule.Shape("result", Result, Gradient.Type.Rows, Weight.Type.Width);
    }
}
