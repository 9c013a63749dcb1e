using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Cache;
using ModelDsl.Compiler.Kernels.Elementwise;
using ModelDsl.Compiler.Kernels.Loss;
using ModelDsl.Compiler.Kernels.Moe;
using ModelDsl.Compiler.Kernels.Norm;
using ModelDsl.Compiler.Kernels.Rope;
using ModelDsl.Compiler.Kernels.Sampling;
using ModelDsl.Compiler.Kernels.Transposed;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx.Targets;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests;

/// <summary>The assembler takes the memory-bound kernels of DeepSeek-V3, and of a model with no round dimension, without spilling.</summary>
public sealed class AssemblyTests
{
    private const double Epsilon = 1e-6;

    public static TheoryData<Kernel> Kernels => new(All);

    private static Kernel[] All => [.. DeepSeekV3(DType.BF16), .. DeepSeekV3(DType.F32), .. Odd(DType.BF16), .. Odd(DType.F32), .. Whole()];

    [PtxasTheory]
    [MemberData(nameof(Kernels))]
    public void AssemblesWithoutSpills(Kernel kernel)
    {
        foreach (var target in new[] { PtxTarget.Sm80, PtxTarget.Sm89, PtxTarget.Sm90a }.Where(target => target.Capability >= kernel.MinimumTarget.Capability))
            Ptxas.AssembleClean(kernel.Emit(target).ToText(), target.Name);
    }

    [Fact]
    public void NamesTellKernelsApart()
    {
        var kernels = All;
        Assert.Equal(kernels.Length, kernels.Select(kernel => kernel.Name).Distinct().Count());
        Assert.All(kernels, kernel => Assert.Matches("^[a-z][a-z0-9_]*$", kernel.Name));
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void DeclaresItsParametersInOrder(Kernel kernel)
    {
        var written = kernel.Emit(PtxTarget.Sm90a).Kernels.Single();
        Assert.Equal(kernel.Parameters.Select(p => $"{p.Name} {Type(p.Kind)}"), written.Parameters.Select(p => $"{p.Name} {p.Type.Suffix}"));
        Assert.Equal(kernel.Geometry.SharedBytes, written.DynamicSharedBytes);

        static string Type(ParameterKind kind) => kind switch
        {
            ParameterKind.Int32 => "u32",
            ParameterKind.Float32 => "f32",
            _ => "u64",
        };
    }

    private static IEnumerable<Kernel> DeepSeekV3(DType io) =>
    [
        new EmbeddingKernel(129280, 7168, DType.BF16, io),
        new RmsNormKernel(7168, 7168, Epsilon, io, Residual: true, WriteOut: true, ScaleRounding.Exact),
        new RmsNormKernel(7168, 7168, Epsilon, io, Residual: false, WriteOut: false, ScaleRounding.PowerOfTwo),
        new RmsNormKernel(7168, 7168, Epsilon, io, Residual: false, WriteOut: false, ScaleRounding.Exact) { Streams = true },
        new RmsNormKernel(1536, 2112, Epsilon, io, Residual: false, WriteOut: true, null),
        new QuantizeKernel(16384, io, ScaleRounding.Exact),
        new AddKernel(7168, io),
        new ConcatColumnsKernel(7168, io),
        new SwiGluKernel(18432, 18432, 36864, io, null),
        new SwiGluKernel(2048, 2048, 4096, io, ScaleRounding.Exact),
        new RopeQueryKernel(128, 128, 64, io),
        new LatentCacheKernel(512, 64, Epsilon, io),
        new CrossEntropyChunkKernel(16160, 129280, io),
        new CrossEntropyGradKernel(16160, 129280, io, DType.BF16, 1),
        new LatentCacheKernel(512, 64, Epsilon, io) { Fp8 = ScaleRounding.PowerOfTwo },
        new CacheGatherKernel(512, 64, 64, io, null),
        new CacheGatherKernel(512, 64, 64, io, ScaleRounding.PowerOfTwo),
        new CacheGatherKernel(512, 64, 64, DType.BF16, io == DType.F32 ? null : ScaleRounding.Exact) { Fp8 = true },
        new PermuteKernel(7168, io, 0),
        new RmsNormKernel(7168, 7168, Epsilon, io, Residual: true, WriteOut: false, ScaleRounding.Exact) { WriteFactors = true },
        new TransposedQuantizeKernel(new PlainSource(io), 7168, ScaleRounding.Exact) { WriteRows = true },
        new TransposedQuantizeKernel(new PlainSource(io), 7168, ScaleRounding.Exact) { Experts = 256 },
        new TransposedQuantizeKernel(new SwiGluSource(2048, 4096, io), 2048, ScaleRounding.Exact) { WriteRows = true, Experts = 256 },
        new TransposedQuantizeKernel(new NormalizedSource(7168, io), 7168, ScaleRounding.PowerOfTwo),
        new WeightQuantizeKernel(4096, 7168, io, ScaleRounding.Exact, Transposes: true) { Experts = 256 },
        new CombineKernel(7168, 8, io, Shared: true),
    ];

    private static IEnumerable<Kernel> Odd(DType io) =>
    [
        new EmbeddingKernel(101, 45, io, io),
        new RmsNormKernel(45, 51, Epsilon, io, Residual: true, WriteOut: true, ScaleRounding.Exact),
        new RmsNormKernel(20000, 20000, Epsilon, io, Residual: false, WriteOut: true, null),
        new QuantizeKernel(333, io, ScaleRounding.PowerOfTwo),
        new AddKernel(1, io),
        new ConcatColumnsKernel(45, io),
        new SwiGluKernel(37, 40, 80, io, ScaleRounding.Exact),
        new TransposedQuantizeKernel(new SwiGluSource(40, 80, io), 37, ScaleRounding.Exact) { WriteRows = true },
        new WeightQuantizeKernel(48, 37, io, ScaleRounding.PowerOfTwo, Transposes: true),
        new RopeQueryKernel(3, 13, 6, io),
        new LatentCacheKernel(25, 6, Epsilon, io),
        new CacheGatherKernel(25, 6, 16, io, ScaleRounding.Exact),
        new CombineKernel(45, 3, io, Shared: false),
        new CrossEntropyChunkKernel(101, 303, io),
        new CrossEntropyGradKernel(101, 303, io, DType.F32, 0.3),
    ];

    private static IEnumerable<Kernel> Whole() =>
    [
        new GateKernel(256, 8, ScoreFunction.Sigmoid, 2.5, true, true, new GroupSpec(4, 8, GroupScore.TopTwoSum, Origin.None), true),
        new GateKernel(160, 6, ScoreFunction.Softmax, 16, false, false, new GroupSpec(3, 8, GroupScore.Max, Origin.None), false),
        new GateKernel(64, 6, ScoreFunction.Softmax, 1, false, false, null, false),
        new DispatchKernel(256, 8, 64),
        new DispatchKernel(10, 3, 16),
        new PermuteKernel(7168, DType.E4M3, 56),
        new TransposedQuantizeKernel(new CodesSource(), 7168, ScaleRounding.Exact),
        new TransposedQuantizeKernel(new CodesSource(), 333, ScaleRounding.PowerOfTwo) { Experts = 10 },
        new ArgmaxKernel(129280),
        new ArgmaxKernel(101),
        new TopPKernel(129280),
        new TopPKernel(101),
        new CrossEntropyLossKernel(129280, 0.3),
    ];
}
