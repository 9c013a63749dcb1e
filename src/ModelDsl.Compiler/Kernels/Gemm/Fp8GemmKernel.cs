using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary><c>C[M,N] = A[M,K] · W[N,K]ᵀ</c> on block-scaled E4M3.</summary>
public sealed record Fp8GemmKernel(int N, int K, DType Out, GemmShape Shape) : Kernel
{
    public override string Name => $"gemm_fp8_n{N}_k{K}_{Out.Text()}_{Shape.ToString().ToLowerInvariant()}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("a", DType.E4M3), KernelParameter.In("a_scales", DType.F32),
        KernelParameter.In("w", DType.E4M3), KernelParameter.In("w_scales", DType.F32),
        KernelParameter.Out("c", Out), KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry => new((N + 63) / 64, Dim.CeilDiv(Dim.Rows, 64), 1, 128);
}
