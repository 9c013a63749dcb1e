using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// A linear layer, <c>c[m, n] = sum_k a[m, k] · w[n, k]</c>, summed in FP32. BF16 goes to tensor cores; F32 weights mean FP32
/// arithmetic, with A in F32 or (the router) BF16.
/// </summary>
/// <param name="N">Outputs.</param>
/// <param name="K">Inputs.</param>
/// <param name="Out">F32 or BF16.</param>
public sealed record GemmKernel(int N, int K, DType A, DType W, DType Out, GemmShape Shape) : Kernel
{
    public override string Name =>
        $"gemm_n{N}_k{K}_{A.Text()}_{W.Text()}_{Out.Text()}" + KernelNames.If(Shape == GemmShape.Skinny, "skinny");

    public override ImmutableArray<KernelParameter> Parameters =>
        [KernelParameter.In("a", A), KernelParameter.In("w", W), KernelParameter.Out("c", Out), KernelParameter.Int("rows")];

    public override LaunchGeometry Geometry => Plan.Geometry(Dim.CeilDiv(Dim.Rows, Plan.Rows), N);

    private GemmPlan Plan => GemmPlan.For(A, W, N, K, Shape, experts: false);

    protected override void Write(KernelBuilder k) => Plan.Write(k, () =>
    {
        var a = Matrix.Parameter(k, "a", A, K);
        var w = Matrix.Parameter(k, "w", W, K);
        var c = Matrix.Parameter(k, "c", Out, N);
        return new GemmProblem(k, N, K, a, w, c, k.BlockIdX * Plan.Rows, k.S32Param("rows"), k.BlockIdY * Plan.Columns);
    });
}
