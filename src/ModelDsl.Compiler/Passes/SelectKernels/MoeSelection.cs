using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Kernels.Moe;

namespace ModelDsl.Compiler.Passes.SelectKernels;

/// <summary>Routing, and moving rows to experts and back.</summary>
internal static class MoeSelection
{
    public static LaunchOp Gate(GateOp op)
    {
        var rows = op.Logits.Type.Rows;
        var (moe, gate) = (op.Moe, op.Moe.Gate);
        var kernel = new GateKernel(
            moe.Routed, moe.Active, gate.Score, gate.Scale, gate.Normalize, op.Bias is not null, moe.Groups, op.Scores is not null);
        var arguments = new Arguments().Tensors(op.Logits, op.Bias, op.Indices, op.Weights, op.Scores).Size(rows);
        return new LaunchOp(op, kernel, arguments.Build(), rows);
    }

    /// <param name="tileRows">Rows per tile of the products that work off the tile list.</param>
    public static LaunchOp Dispatch(DispatchOp op, int tileRows)
    {
        var tokens = op.Indices.Type.Rows;
        var rows = op.Source.Type.Rows;
        var tiles = Dim.Min(rows, Dim.CeilDiv(rows, tileRows) + op.Experts);
        var kernel = new DispatchKernel(op.Experts, op.Indices.Type.Width, tileRows);
        var arguments = new Arguments()
            .Tensors(op.Indices, op.Offsets, op.RowOf, op.Source, op.TileExpert, op.TileRow).Size(tokens).Size(tiles);
        return new LaunchOp(op, kernel, arguments.Build(), tokens);
    }

    public static LaunchOp Permute(PermuteOp op)
    {
        var rows = op.Source.Type.Rows;
        var width = op.X.Type.Width;
        var scales = op.X.Type.Scales is { } groups ? (width + groups.Columns - 1) / groups.Columns : 0;
        var arguments = new Arguments().WithScales(op.X).Tensor(op.Source).WithScales(op.Result);
        if (scales > 0) arguments.Size(op.X.Type.Rows);
        arguments.Size(rows);
        return new LaunchOp(op, new PermuteKernel(width, op.X.Type.Type, scales), arguments.Build(), rows);
    }

    public static LaunchOp Combine(CombineOp op)
    {
        var rows = op.Result.Type.Rows;
        var kernel = new CombineKernel(op.Result.Type.Width, op.RowOf.Type.Width, op.Result.Type.Type, op.Shared is not null);
        var arguments = new Arguments().Tensors(op.Y, op.RowOf, op.Weights, op.Shared, op.Result).Size(rows);
        return new LaunchOp(op, kernel, arguments.Build(), rows);
    }
}
