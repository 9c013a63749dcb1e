using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Lowering;

/// <summary>One SwiGLU: <c>down( silu(gate x) * (up x) )</c>, gate and up as one product.</summary>
internal static class DenseLowering
{
    /// <summary>x: the normalised stream <c>[T,H]</c>; result: what the block adds to the stream, <c>[T,H]</c>.</summary>
    public static Value Lower(LoweringContext context, WeightNames weights, int layer, DenseSpec dense, Value x) =>
        SwiGlu(context, x, weights.GateUp(layer, "mlp", "mlp", dense.Width), weights.Down(layer, "mlp", "mlp", dense.Width), ModelPart.Mlp);

    /// <summary>The same with any weights: also the shared experts of an MoE layer are one.</summary>
    internal static Value SwiGlu(LoweringContext context, Value x, WeightTensor gateUp, WeightTensor down, ModelPart part)
    {
        var both = context.Linear(x, gateUp, part);
        var inner = context.New(x.Type.Rows, down.Columns);
        context.Graph.Add(new SwiGluOp(both, down.Columns, inner));
        return context.Linear(inner, down, part);
    }
}
