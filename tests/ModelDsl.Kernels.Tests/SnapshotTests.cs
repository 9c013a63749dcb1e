using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Moe;
using ModelDsl.Compiler.Kernels.Norm;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx.Targets;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests;

/// <summary>The text of a few kernels, for whoever wants to see what a change does to it.</summary>
public sealed class SnapshotTests
{
    [Fact]
    public Task RmsNorm() => Verify(new RmsNormKernel(256, 256, 1e-6, DType.BF16, Residual: true, WriteOut: true, null), PtxTarget.Sm80);

    [Fact]
    public Task RmsNormQuantised() => Verify(new RmsNormKernel(300, 300, 1e-6, DType.BF16, Residual: false, WriteOut: false, ScaleRounding.Exact), PtxTarget.Sm89);

    [Fact]
    public Task Combine() => Verify(new CombineKernel(256, 4, DType.BF16, Shared: true), PtxTarget.Sm80);

    [Fact]
    public Task Gate() => Verify(
        new GateKernel(16, 4, ScoreFunction.Sigmoid, 2.5, true, true, new GroupSpec(2, 4, GroupScore.TopTwoSum, Origin.None), false), PtxTarget.Sm80);

    private static Task Verify(Kernel kernel, PtxTarget target, [System.Runtime.CompilerServices.CallerMemberName] string method = "") =>
        Verifier.Verify(kernel.Emit(target).ToText(), "ptx", method: method);
}
