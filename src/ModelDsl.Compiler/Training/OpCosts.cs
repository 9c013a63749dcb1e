using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Graph.Ops.Collectives;
using ModelDsl.Compiler.Graph.Ops.Training;
using ModelDsl.Compiler.Passes.PlacePrecision;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Training;

/// <param name="LinearFlops">Of linear layers, two per multiply-add; the router's are left out, as in the published figures.</param>
/// <param name="AttentionFlops">Of the core of attention, nothing masked; a causal kernel does half of it.</param>
/// <param name="RepeatedFlops">Of either, done a second time: recomputed linear layers, and the scores that attention's backward pass
/// makes again. No part of the other two.</param>
/// <param name="Bytes">Read and written if every op reads its operands from memory and writes its results there.</param>
/// <param name="WireBytes">Sent to other ranks; of collectives, by the algorithms that send least.</param>
public readonly record struct OpCost(double LinearFlops, double AttentionFlops, double RepeatedFlops, double Bytes, double WireBytes = 0)
{
    public static OpCost operator +(OpCost a, OpCost b) => new(
        a.LinearFlops + b.LinearFlops, a.AttentionFlops + b.AttentionFlops, a.RepeatedFlops + b.RepeatedFlops, a.Bytes + b.Bytes,
        a.WireBytes + b.WireBytes);
}

/// <summary>What an op of a training step costs for a sequence of so many tokens.</summary>
public sealed class OpCosts(PrecisionSpec precision, long tokens)
{
    private readonly FormatTable _formats = new(precision);
    private readonly SavedFormats _saved = new(precision);

    public OpCost Of(Op op)
    {
        var (linear, attention) = (Linear(op), Attention(op));
        var bytes = Bytes(op);
        if (op.IsRecomputed) return new OpCost(0, 0, linear + attention, bytes);
        // S = Q K^T once more, as only its row sums were kept.
        var repeated = op is MlaGradOp grad ? 2.0 * grad.Mla.Heads * grad.Mla.QkDim * Square(grad.Query) : 0;
        return new OpCost(linear, attention, repeated, bytes, Wire(op));
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
        MlaPrefillOp attention => 2.0 * attention.Mla.Heads * (attention.Mla.QkDim + attention.Mla.VDim) * Square(attention.Query),
        MlaGradOp attention => 4.0 * attention.Mla.Heads * (attention.Mla.QkDim + attention.Mla.VDim) * Square(attention.Query),
        _ => 0,
    };

    /// <summary>Every rank has its n-th of what is gathered or summed, and sends the rest or n - 1 parts of its own; rows travel to any rank.</summary>
    private double Wire(Op op) => op switch
    {
        AllGatherOp gather => Others(gather.Group) * Count(gather.Result.Type.Elements) * Width(op, gather.X),
        ReduceScatterOp scatter => Others(scatter.Group) * Count(scatter.X.Type.Elements) * Width(op, scatter.X),
        AllReduceOp reduce => 2 * Others(reduce.Group) * Count(reduce.X.Type.Elements) * Width(op, reduce.X),
        AllToAllOp { Format: { } format } travel => Others(travel.Group) * Count(travel.X.Type.Elements) * _saved.BytesPerElement(format),
        AllToAllOp travel => Others(travel.Group) * Count(travel.X.Type.Elements) * (travel.X.Type.Width == 1 ? 4 : Width(op, travel.X)),
        SendOp send => Count(send.X.Type.Elements) * Width(op, send.X),
        _ => 0,
    };

    private static double Others(CommGroup group) => (group.Size - 1.0) / group.Size;

    private double Square(Value query) => Count(query.Type.Rows) * Count(query.Type.Rows);

    private double Product(Value rows, Dim width) => 2.0 * Count(rows.Type.Elements) * Count(width);

    private double Bytes(Op op)
    {
        // Views cost nothing.
        if (op is SplitColumnsOp or OwnRowsOp) return 0;
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
