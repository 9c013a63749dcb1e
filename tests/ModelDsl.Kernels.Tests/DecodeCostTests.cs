using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Cache;
using ModelDsl.Compiler.Kernels.Elementwise;
using ModelDsl.Compiler.Kernels.Moe;
using ModelDsl.Compiler.Kernels.Norm;
using ModelDsl.Compiler.Kernels.Rope;
using ModelDsl.Compiler.Kernels.Sampling;
using ModelDsl.Compiler.Specs;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests;

/// <summary>
/// What a decode step of one token costs in warp instructions. The limits are what the kernels take now, rounded up: a change that makes
/// small steps dearer should be a decision. One was to write quotients by a group's scale, and then the scale itself, without divisions: here some instructions more, on a GPU a third of all fewer. Others were to ask
/// for a norm's weights ahead, and to put four warps with a token each into a block of the router and of the cache's kernel, three of which end at once where there is one token.
/// </summary>
public sealed class DecodeCostTests
{
    public static TheoryData<Kernel, int> Limits => new()
    {
        { new RmsNormKernel(256, 256, 1e-6, DType.BF16, Residual: true, WriteOut: true, null), 120 },
        { new RmsNormKernel(256, 256, 1e-6, DType.F32, Residual: true, WriteOut: true, null), 90 },
        { new RmsNormKernel(7168, 7168, 1e-6, DType.BF16, Residual: true, WriteOut: false, ScaleRounding.Exact), 5060 },
        { new QuantizeKernel(256, DType.BF16, ScaleRounding.Exact), 120 },
        { new AddKernel(256, DType.BF16), 60 },
        { new SwiGluKernel(512, 512, 1024, DType.BF16, null), 180 },
        { new RopeQueryKernel(4, 64, 32, DType.BF16), 70 },
        { new LatentCacheKernel(128, 32, 1e-6, DType.BF16), 190 },
        { new CacheGatherKernel(128, 32, 64, DType.BF16, null), 50 },
        { new GateKernel(16, 4, ScoreFunction.Sigmoid, 2.5, true, true, new GroupSpec(2, 4, GroupScore.TopTwoSum, Origin.None), false), 210 },
        { new GateKernel(256, 8, ScoreFunction.Sigmoid, 2.5, true, true, new GroupSpec(4, 8, GroupScore.TopTwoSum, Origin.None), false), 860 },
        { new DispatchKernel(16, 4, 16), 730 },
        { new DispatchKernel(256, 8, 16), 850 },
        { new PermuteKernel(256, DType.BF16, 0), 30 },
        { new CombineKernel(256, 4, DType.BF16, Shared: true), 120 },
        { new ArgmaxKernel(512), 170 },
        { new TopPKernel(512), 3210 },
    };

    [Theory]
    [MemberData(nameof(Limits))]
    public void OneTokenIsCheap(Kernel kernel, int most)
    {
        using var run = new KernelRun(kernel, counts: true).Symbol(DimSymbol.Context, 1);
        foreach (var parameter in kernel.Parameters)
        {
            if (parameter.Kind == ParameterKind.Float32) run.Number(parameter.Name, 1f);
            else if (parameter.Kind == ParameterKind.Int32) run.Number(parameter.Name, parameter.Name switch { "valid" => 512, "tiles" => 4, _ => 1 });
            else if (parameter.Type == DType.I32) run.Set(parameter.Name, parameter.Name == "indices" ? [0, 3, 5, 7, 9, 10, 12, 15] : new int[300]);
            else run.Set(parameter.Name, Samples.Normal(1, 9000));
        }

        Assert.InRange(run.Launch(1).WarpInstructions, 1, most);
    }
}
