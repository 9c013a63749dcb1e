using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Ptx.Targets;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>What the assembler makes of the gradients' kernels: nothing spilled, the products meant and little beside them.</summary>
public class MlaPrefillBackwardAssemblyTests
{
    private static MlaPrefill Forward(int heads, bool causal, int? sequences) =>
        new(heads, 128, 64, 128, Math.Pow(192, -0.5)) { Causal = causal, WriteLse = true, Sequences = sequences };

    [PtxasTheory]
    [InlineData(128, true, null)]
    [InlineData(16, true, 8)]
    [InlineData(128, false, 16)]
    public void Assembles_without_a_warning_a_spill_or_a_stack(int heads, bool causal, int? sequences)
    {
        foreach (var of in Enum.GetValues<MlaGradient>())
        {
            var kernel = new MlaPrefillBackward(Forward(heads, causal, sequences), of);
            Ptxas.AssembleClean(kernel.Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
            Assert.InRange(kernel.Geometry.SharedBytes, 0, 227 * 1024);
        }
        Ptxas.AssembleClean(new MlaPrefillDelta(heads, 128).Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
        Ptxas.AssembleClean(new HeadSum(heads, 64).Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
    }

    /// <summary>
    /// A step of 64 by 64: 12 products for S' and 8 for dP', then 4 for each kind of sums; for each of a thread's 32 pairs an exponential with its fused multiply-add, a difference
    /// and a product. The keys' side takes P' out of what it has packed, and loads what its columns need.
    /// </summary>
    [PtxasTheory]
    [InlineData(MlaGradient.Keys, 4, 16, 385)]
    [InlineData(MlaGradient.Queries, 0, 0, 290)]
    public void The_loop_is_matrix_instructions_and_what_makes_their_operands(MlaGradient of, int valueSums, int loads, int most)
    {
        var text = new MlaPrefillBackward(Forward(128, true, null), of).Emit(PtxTarget.Sm90a).ToText();
        var loop = Disassembly.Of(text, "sm_90a").LoopAround("HGMMA.64x192x16");
        int Count(string opcode) => loop.Count(i => i.Opcode.StartsWith(opcode, StringComparison.Ordinal));
        Assert.Equal([20, valueSums, 4], new[] { "HGMMA.64x64x16.F32.BF16", "HGMMA.64x128x16.F32.BF16", "HGMMA.64x192x16.F32.BF16" }.Select(Count));
        Assert.Equal([32, 32, 32], new[] { "MUFU", "FFMA", "FADD" }.Select(Count));
        Assert.Equal(loads, Count("LDS"));
        Assert.Equal(0, Count("LDL") + Count("STL") + Count("LDG") + Count("BAR"));
        Assert.InRange(loop.Count, 180, most);
    }
}
