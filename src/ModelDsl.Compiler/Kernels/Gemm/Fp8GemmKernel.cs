using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>
/// A linear layer on E4M3 operands: A scaled per row and 128 inputs, W per 128 outputs and 128 inputs. Tensor cores sum 128 products,
/// ordinary cores scale and add them up in FP32 (V3 report, section 3.3.2).
/// </summary>
/// <param name="N">Outputs.</param>
/// <param name="K">Inputs.</param>
/// <param name="Out">F32 or BF16.</param>
public sealed record Fp8GemmKernel(int N, int K, DType Out, GemmShape Shape) : Kernel
{
    public override string Name => $"gemm_fp8_n{N}_k{K}_{Out.Text()}" + KernelNames.If(Shape == GemmShape.Skinny, "skinny");

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("a", DType.E4M3),
        KernelParameter.In("a_scales", DType.F32),
        KernelParameter.In("w", DType.E4M3),
        KernelParameter.In("w_scales", DType.F32),
        KernelParameter.Out("c", Out),
        KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry => Plan.Geometry(Dim.CeilDiv(Dim.Rows, Plan.Rows), N);

    private GemmPlan Plan => GemmPlan.For(DType.E4M3, DType.E4M3, N, K, Shape, experts: false);

    protected override void Write(KernelBuilder k) => Plan.Write(k, () =>
    {
        var a = Matrix.Parameter(k, "a", DType.E4M3, K);
        var aScales = k.GlobalPtrParam<F32>("a_scales");
        var w = Matrix.Parameter(k, "w", DType.E4M3, K);
        var wScales = k.GlobalPtrParam<F32>("w_scales");
        var c = Matrix.Parameter(k, "c", Out, N);
        var rows = k.S32Param("rows");
        var scales = new BlockScales(aScales, ScaleColumns.Stride(rows), wScales, BlockScales.Count(K));
        return new GemmProblem(k, N, K, a, w, c, k.BlockIdX * Plan.Rows, rows, k.BlockIdY * Plan.Columns) { Scales = scales };
    });
}
