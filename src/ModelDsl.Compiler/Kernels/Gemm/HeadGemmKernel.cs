using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Kernels.Gemm;

/// <summary>Per head <c>C = A · Wᵀ</c> or, transposed, <c>C = A · W</c>; strides in elements.</summary>
public sealed record HeadGemmKernel(
    int Heads, int N, int K, int ARow, int AHead, int WHead, int WOffset, bool Transposed, int CRow, int CHead, DType Io) : Kernel
{
    public override string Name =>
        $"head_gemm_h{Heads}_n{N}_k{K}_a{ARow}_{AHead}_w{WHead}_{WOffset}{KernelNames.If(Transposed, "t")}_c{CRow}_{CHead}_{Io.Text()}";

    public override ImmutableArray<KernelParameter> Parameters =>
        [KernelParameter.In("a", Io), KernelParameter.In("w", Io), KernelParameter.Out("c", Io), KernelParameter.Int("rows")];

    public override LaunchGeometry Geometry => new((N + 63) / 64, Dim.CeilDiv(Dim.Rows, 16), Heads, 128);
}
