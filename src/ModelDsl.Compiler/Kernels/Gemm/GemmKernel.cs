using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary><c>C[M,N] = A[M,K] · W[N,K]ᵀ</c>.</summary>
public sealed record GemmKernel(int N, int K, DType A, DType W, DType Out, GemmShape Shape) : Kernel
{
    public override string Name => $"gemm_n{N}_k{K}_{A.Text()}_{W.Text()}_{Out.Text()}_{Shape.ToString().ToLowerInvariant()}";

    public override ImmutableArray<KernelParameter> Parameters =>
        [KernelParameter.In("a", A), KernelParameter.In("w", W), KernelParameter.Out("c", Out), KernelParameter.Int("rows")];

    public override LaunchGeometry Geometry => new((N + 63) / 64, Dim.CeilDiv(Dim.Rows, 64), 1, 128);
}
