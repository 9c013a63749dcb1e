using ModelDsl.Compiler.Graph.Ops;
using ModelDsl.Compiler.Kernels.Sampling;

namespace ModelDsl.Compiler.Passes.SelectKernels;

/// <summary>From logits to ids.</summary>
internal static class SamplingSelection
{
    public static LaunchOp Argmax(ArgmaxOp op)
    {
        var rows = op.Logits.Type.Rows;
        return new LaunchOp(
            op, new ArgmaxKernel(op.Logits.Type.Width), new Arguments().Tensors(op.Logits, op.Valid, op.Result).Size(rows).Build(), rows);
    }

    public static LaunchOp TopP(TopPOp op)
    {
        var rows = op.Logits.Type.Rows;
        var arguments = new Arguments().Tensors(op.Logits, op.Uniform, op.Temperature, op.TopP, op.Valid, op.Result).Size(rows);
        return new LaunchOp(op, new TopPKernel(op.Logits.Type.Width), arguments.Build(), rows);
    }
}
