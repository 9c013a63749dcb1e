using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Ptx.Targets;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Gemm;

/// <summary>The assembler must take every product of DeepSeek-V3 without a warning and without a spill.</summary>
public class GemmAssemblyTests
{
    /// <summary>Outputs and inputs of V3's linear layers, and small ones with ragged edges and short depths.</summary>
    private static readonly (int N, int K)[] Dense =
    [
        (1536, 7168), (24576, 1536), (576, 7168), (32768, 512), (7168, 16384), (18432, 7168), (36864, 7168), (7168, 18432), (4096, 7168),
        (7168, 2048), (160, 256), (624, 300),
    ];

    private static readonly (int N, int K)[] Expert = [(4096, 7168), (2048, 7168), (7168, 2048), (1030, 300)];

    public static TheoryData<Kernel> Wide => new(Kernels(fp8: false));

    public static TheoryData<Kernel> Quantised => new(Kernels(fp8: true));

    [PtxasTheory]
    [MemberData(nameof(Wide))]
    public void BF16_and_F32_products_assemble(Kernel kernel) => Assemble(kernel, "sm_80", "sm_90a");

    /// <summary>Ada has the instruction; for Hopper the assembler builds it from others, which takes more registers.</summary>
    [PtxasTheory]
    [MemberData(nameof(Quantised))]
    public void FP8_products_assemble(Kernel kernel) => Assemble(kernel, "sm_89", "sm_90a");

    private static void Assemble(Kernel kernel, params string[] targets)
    {
        foreach (var target in targets)
        {
            var report = Ptxas.AssembleClean(kernel.Emit(PtxTarget.Find(target)!).ToText(), target);
            Assert.InRange(kernel.Geometry.SharedBytes, 0, 99 * 1024);
            Assert.InRange(report.Registers * kernel.Geometry.Threads, 1, 65536);
        }
    }

    private static IEnumerable<Kernel> Kernels(bool fp8)
    {
        foreach (var shape in new[] { GemmShape.Tile, GemmShape.Skinny })
        {
            foreach (var (n, k) in Dense)
            {
                yield return fp8
                    ? new Fp8GemmKernel(n, k, DType.BF16, shape)
                    : new GemmKernel(n, k, DType.BF16, DType.BF16, DType.BF16, shape);
            }

            foreach (var (n, k) in Expert)
            {
                yield return fp8
                    ? new GroupedFp8GemmKernel(256, n, k, 8, DType.BF16, shape)
                    : new GroupedGemmKernel(256, n, k, 8, DType.BF16, DType.BF16, DType.BF16, shape);
            }

            if (fp8) continue;
            yield return new GemmKernel(129280, 7168, DType.BF16, DType.BF16, DType.F32, shape);
            yield return new GemmKernel(256, 7168, DType.BF16, DType.F32, DType.F32, shape);
            yield return new GemmKernel(24576, 1536, DType.F32, DType.F32, DType.F32, shape);
            yield return new GroupedGemmKernel(256, 4096, 7168, 8, DType.F32, DType.F32, DType.F32, shape);
        }

        if (fp8) yield break;
        foreach (var io in new[] { DType.BF16, DType.F32 })
        {
            yield return new HeadGemmKernel(128, 512, 128, 128 * 192, 192, 256 * 512, 0, true, 128 * 512, 512, io);
            yield return new HeadGemmKernel(128, 128, 512, 128 * 512, 512, 256 * 512, 128 * 512, false, 128 * 128, 128, io);
        }
    }
}
