using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Ptx.Targets;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>What the assembler makes of the kernel: nothing spilled, two kinds of matrix instructions in the loop and a softmax beside them.</summary>
public class MlaPrefillAssemblyTests
{
    [PtxasTheory]
    [InlineData(128, true, true, null)]
    [InlineData(128, true, false, null)]
    [InlineData(16, true, true, 8)]
    [InlineData(128, false, true, 16)]
    public void Assembles_without_a_warning_a_spill_or_a_stack(int heads, bool causal, bool lse, int? sequences)
    {
        var kernel = new MlaPrefill(heads, 128, 64, 128, Math.Pow(192, -0.5)) { Causal = causal, WriteLse = lse, Sequences = sequences };
        Ptxas.AssembleClean(kernel.Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
        Assert.InRange(kernel.Geometry.SharedBytes, 0, 227 * 1024);
    }

    /// <summary>
    /// 128 keys for 64 queries: 12 products for the scores, 8 for the values; for each of a thread's 64 scores one exponential and the fused multiply-add before it,
    /// a maximum and a sum, and half a rounding; for each of its 64 sums a product. All exponentials are made while the values' products are under way.
    /// </summary>
    [PtxasFact]
    public void The_loop_is_matrix_instructions_and_a_softmax_beside_them()
    {
        var text = new MlaPrefill(128, 128, 64, 128, Math.Pow(192, -0.5)) { WriteLse = true }.Emit(PtxTarget.Sm90a).ToText();
        var loop = Disassembly.Of(text, "sm_90a").LoopAround("BAR.ARV");
        int Count(string opcode) => loop.Count(i => i.Opcode.StartsWith(opcode, StringComparison.Ordinal));
        Assert.Equal(20, Count("HGMMA.64x128x16.F32.BF16"));
        Assert.Equal(20, Count("HGMMA"));
        Assert.Equal([66, 66, 68, 68, 65, 32], new[] { "MUFU", "FFMA", "FMUL", "FMNMX", "FADD", "F2FP" }.Select(Count));
        Assert.Equal(0, Count("LDL") + Count("STL") + Count("LDS") + Count("LDG") + Count("CALL"));
        Assert.InRange(loop.Count, 380, 495);
        var waits = loop.Select((i, at) => (i, at)).Where(x => x.i.Opcode.StartsWith("WARPGROUP.DEPBAR", StringComparison.Ordinal)).Select(x => x.at).ToArray();
        var meanwhile = loop.Take(waits[1]).Skip(waits[0]).Count(i => i.Opcode.StartsWith("MUFU", StringComparison.Ordinal));
        Assert.InRange(meanwhile, 64, 66);
    }
}
