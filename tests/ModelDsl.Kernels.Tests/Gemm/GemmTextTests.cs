using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Ptx.Targets;
using static ModelDsl.Testing.Verifier;

namespace ModelDsl.Kernels.Tests.Gemm;

/// <summary>What the emitters write, for readers and for whoever changes them: one kernel of each kind, all edges in one of them.</summary>
public class GemmTextTests
{
    [Fact]
    public Task Tensor_tile() => VerifyText(new GemmKernel(64, 128, DType.BF16, DType.BF16, DType.BF16, GemmShape.Tile));

    [Fact]
    public Task Tensor_tile_with_scales() => VerifyText(new Fp8GemmKernel(128, 1024, DType.BF16, GemmShape.Tile));

    [Fact]
    public Task Few_rows() => VerifyText(new GemmKernel(100, 160, DType.BF16, DType.BF16, DType.F32, GemmShape.Skinny));

    [Fact]
    public Task Few_rows_of_an_expert_with_scales() => VerifyText(new GroupedFp8GemmKernel(8, 64, 4096, 2, DType.BF16, GemmShape.Skinny));

    [Fact]
    public Task Few_rows_in_FP32() => VerifyText(new GemmKernel(64, 128, DType.F32, DType.F32, DType.F32, GemmShape.Skinny));

    [Fact]
    public Task Heads_with_transposed_weights() =>
        VerifyText(new HeadGemmKernel(4, 128, 64, 384, 96, 16384, 0, true, 512, 128, DType.BF16));

    private static Task VerifyText(Kernel kernel, [System.Runtime.CompilerServices.CallerMemberName] string method = "") =>
        Verify(kernel.Emit(PtxTarget.Sm90a).ToText(), "ptx", method: method);
}
