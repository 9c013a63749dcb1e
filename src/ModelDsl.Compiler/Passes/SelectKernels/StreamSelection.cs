using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Kernels.Elementwise;
using ModelDsl.Compiler.Kernels.Norm;

namespace ModelDsl.Compiler.Passes.SelectKernels;

/// <summary>Ops on the rows of the stream: embedding, sums, norms, quantisation, SwiGLU.</summary>
internal static class StreamSelection
{
    public static LaunchOp Embedding(EmbeddingOp op)
    {
        var rows = op.Ids.Type.Rows;
        var vocabulary = checked((int)op.Table.Type.Rows.Constant!.Value);
        var kernel = new EmbeddingKernel(vocabulary, op.Table.Type.Width, op.Table.Type.Type, op.Result.Type.Type);
        return new LaunchOp(op, kernel, new Arguments().Tensors(op.Ids, op.Table, op.Result).Size(rows).Build(), rows);
    }

    public static LaunchOp Add(AddOp op)
    {
        var rows = op.A.Type.Rows;
        var kernel = new AddKernel(op.A.Type.Width, op.A.Type.Type);
        return new LaunchOp(op, kernel, new Arguments().Tensors(op.A, op.B, op.Result).Size(rows).Build(), rows);
    }

    public static LaunchOp Concat(ConcatColumnsOp op)
    {
        if (op.A.Type.Width != op.B.Type.Width)
            throw new PassException(
                $"No kernel joins rows of {op.A.Type.Width} and {op.B.Type.Width}.", "Both parts have to be equally wide.");
        var rows = op.A.Type.Rows;
        var kernel = new ConcatColumnsKernel(op.A.Type.Width, op.A.Type.Type);
        return new LaunchOp(op, kernel, new Arguments().Tensors(op.A, op.B, op.Result).Size(rows).Build(), rows);
    }

    /// <param name="rowStride">Elements between rows of x: more than its width where x is a slice of columns.</param>
    /// <param name="mostRows">At the limits of the plan.</param>
    public static LaunchOp RmsNorm(RmsNormOp op, int rowStride, long mostRows)
    {
        var rows = op.X.Type.Rows;
        var kernel = new RmsNormKernel(
            op.X.Type.Width, rowStride, op.Epsilon, op.X.Type.Type, Residual: false, WriteOut: true, Quantize: null).For(mostRows);
        return new LaunchOp(op, kernel, new Arguments().Tensors(op.X, op.Weight, op.Result).Size(rows).Build(), rows);
    }

    /// <inheritdoc cref="RmsNorm"/>
    public static LaunchOp FusedNorm(FusedNormOp op, int rowStride, long mostRows)
    {
        var rows = op.X.Type.Rows;
        var kernel = new RmsNormKernel(
            op.X.Type.Width, rowStride, op.Epsilon, op.X.Type.Type, op.Delta is not null, op.Normalised is not null,
            op.Quantised is null ? null : op.Rounding).For(mostRows);
        var arguments = new Arguments().Tensors(op.X, op.Delta, op.Weight, op.Sum, op.Normalised).WithScales(op.Quantised).Size(rows);
        return new LaunchOp(op, kernel, arguments.Build(), rows);
    }

    public static LaunchOp Quantize(QuantizeOp op)
    {
        var rows = op.X.Type.Rows;
        var kernel = new QuantizeKernel(op.X.Type.Width, op.X.Type.Type, op.Rounding);
        return new LaunchOp(op, kernel, new Arguments().Tensor(op.X).WithScales(op.Result).Size(rows).Build(), rows);
    }

    public static LaunchOp SwiGlu(SwiGluOp op)
    {
        var rows = op.X.Type.Rows;
        var kernel = new SwiGluKernel(op.Result.Type.Width, op.UpOffset, op.X.Type.Width, op.X.Type.Type, op.Rounding);
        return new LaunchOp(op, kernel, new Arguments().Tensor(op.X).WithScales(op.Result).Size(rows).Build(), rows);
    }
}
