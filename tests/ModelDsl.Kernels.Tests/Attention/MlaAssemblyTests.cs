using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Attention;
using ModelDsl.Ptx.Targets;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Attention;

/// <summary>The assembler takes the attention kernels of DeepSeek-V3, and of a model with no round dimension, without spilling.</summary>
public sealed class MlaAssemblyTests
{
    public static TheoryData<Kernel> Kernels
    {
        get
        {
            var kernels = new TheoryData<Kernel>();
            foreach (var io in new[] { DType.BF16, DType.F32 })
            {
                kernels.Add(new MlaPrefillKernel(128, 128, 64, 128, 0.135, io));
                kernels.Add(new MlaPrefillKernel(3, 13, 6, 11, 0.2, io));
                kernels.Add(new MlaDecodeKernel(128, 512, 128, 64, 64, 8, 0.135, io));
                kernels.Add(new MlaDecodeKernel(3, 25, 13, 6, 16, 2, 0.2, io));
                kernels.Add(new MlaDecodeKernel(2, 64, 16, 8, 64, 4, 0.2, io));
                kernels.Add(new MlaCombineKernel(128, 512, io));
            }

            return kernels;
        }
    }

    [PtxasTheory]
    [MemberData(nameof(Kernels))]
    public void AssemblesWithoutSpills(Kernel kernel)
    {
        foreach (var target in new[] { PtxTarget.Sm80, PtxTarget.Sm90a })
            Ptxas.AssembleClean(kernel.Emit(target).ToText(), target.Name);
    }
}
