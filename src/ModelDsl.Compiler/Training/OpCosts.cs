using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Passes.PlacePrecision;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Training;

/// <param name="LinearFlops">Of linear layers, two per multiply-add; the router's are left out, as in the published figures.</param>
/// <param name="AttentionFlops">Of the core of attention, nothing masked; a causal kernel does half of it.</param>
/// <param name="RepeatedFlops">Of either, done a second time: recomputed linear layers, and the scores that attention's backward pass
/// makes again. No part of the other two.</param>
/// <param name="Bytes">Read and written if every op reads its operands from memory and writes its results there.</param>
public readonly record struct OpCost(double LinearFlops, double AttentionFlops, double RepeatedFlops, double Bytes)
{
    public static OpCost operator +(OpCost a, OpCost b) => new(
        a.LinearFlops + b.LinearFlops, a.AttentionFlops + b.AttentionFlops, a.RepeatedFlops + b.RepeatedFlops, a.Bytes + b.Bytes);
}

/// <summary>What an op of a training step costs for a sequence of so many tokens.</summary>
public sealed class OpCosts(PrecisionSpec precision, long tokens)
{
    private readonly FormatTable _formats = new(precision);

    public OpCost Of(Op op)
    {
        var (linear, attention) = (Linear(op), Attention(op));
        var bytes = Bytes(op);
        if (op.IsRecomputed) return new OpCost(0, 0, linear + attention, bytes);
        // S = Q K^T once more, as only its row sums were kept.
        var repeated = op is MlaGradOp grad ? 2.0 * grad.Mla.Heads * grad.Mla.QkDim * tokens * tokens : 0;
        return new OpCost(linear, attention, repeated, bytes);
    }

    private double Linear(Op op) => op switch
    {
        LinearOp { Part: ModelPart.Router } or LinearGradOp { Part: ModelPart.Router } or LinearWeightGradOp { Part: ModelPart.Router } => 0,
        LinearOp linear => Product(linear.X, linear.Weight.Type.Rows),
        LinearGradOp linear => Product(linear.Gradient, linear.Weight.Type.Width),
        LinearWeightGradOp linear => Product(linear.X, linear.Gradient.Type.Width),
        GroupedLinearOp grouped => Product(grouped.X, grouped.Weight.Type.Shape[1]),
        GroupedLinearGradOp grouped => Product(grouped.Gradient, grouped.Weight.Type.Width),
        GroupedLinearWeightGradOp grouped => Product(grouped.X, grouped.Gradient.Type.Width),
        _ => 0,
    };

    /// <summary>Backward, Q, K, P and V have a gradient each: two products become four.</summary>
    private double Attention(Op op) => op switch
    {
        MlaPrefillOp attention => 2.0 * attention.Mla.Heads * (attention.Mla.QkDim + attention.Mla.VDim) * tokens * tokens,
        MlaGradOp attention => 4.0 * attention.Mla.Heads * (attention.Mla.QkDim + attention.Mla.VDim) * tokens * tokens,
        _ => 0,
    };

    private double Product(Value rows, Dim width) => 2.0 * Count(rows.Type.Elements) * Count(width);

    private double Bytes(Op op)
    {
        // Views cost nothing.
        if (op is SplitColumnsOp) return 0;
        var narrow = IsFp8(op);
        var sum = 0.0;
        foreach (var operand in op.Operands) sum += Count(Touched(op, operand)) * (narrow && operand.Type.Type == DType.F32 ? 1 : Width(op, operand));
        foreach (var result in op.Results) sum += Count(result.Type.Elements) * Width(op, result);
        return sum;
    }

    /// <summary>Of a table, only the rows that are looked up.</summary>
    private static Dim Touched(Op op, Value operand) => op is EmbeddingOp embedding && ReferenceEquals(operand, embedding.Table)
        ? embedding.Result.Type.Elements
        : operand.Type.Elements;

    /// <summary>A product of E4M3 operands.</summary>
    public bool IsFp8(Op op) => op switch
    {
        LinearOp linear => _formats.IsFp8(linear.Part),
        LinearGradOp linear => _formats.IsFp8(linear.Part),
        LinearWeightGradOp linear => _formats.IsFp8(linear.Part),
        GroupedLinearOp or GroupedLinearGradOp or GroupedLinearWeightGradOp => _formats.IsFp8(ModelPart.Experts),
        _ => false,
    };

    /// <summary>Integers, sums of gradients and what the router and the losses compute are 4 bytes wide, all else as activations are.</summary>
    private int Width(Op op, Value value)
    {
        if (value.Type.Type != DType.F32 || value is StateValue || op is AccumulateGradientOp) return 4;
        var isF32 = FormatTable.StaysF32(op) || op switch
        {
            CrossEntropyOp or CrossEntropyGradOp or SortGatesOp or UnsortGatesOp or ScoreGradOp or SelectExpertsGradOp or BalanceLossOp or BalanceLossGradOp => true,
            LinearWeightGradOp or GroupedLinearWeightGradOp or RmsNormWeightGradOp or EmbeddingGradOp => op.Results.Contains(value),
            _ => false,
        };
        return isF32 ? 4 : _formats.Activation.Bytes();
    }

    private double Count(Dim size) => size.Evaluate(_ => tokens);
}
