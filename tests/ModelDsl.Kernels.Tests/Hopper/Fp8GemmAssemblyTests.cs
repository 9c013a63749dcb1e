using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Ptx.Targets;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>What the assembler makes of the kernel: nothing spilled, matrix instructions in the loop and little beside them.</summary>
public class Fp8GemmAssemblyTests
{
    public static TheoryData<int, int, DType, Fp8GemmTile> Kernels => new()
    {
        { 2112, 7168, DType.BF16, Fp8GemmTile.Few }, { 7168, 2048, DType.BF16, Fp8GemmTile.Few }, { 4096, 7168, DType.BF16, Fp8GemmTile.Middle },
        { 24576, 1536, DType.BF16, Fp8GemmTile.Many }, { 7168, 16384, DType.BF16, Fp8GemmTile.Many }, { 576, 7168, DType.F32, Fp8GemmTile.Middle },
        { 32768, 512, DType.F32, Fp8GemmTile.Few }, { 136, 48, DType.BF16, Fp8GemmTile.Many }, { 2112, 7168, DType.BF16, Fp8GemmTile.Three },
    };

    [PtxasTheory]
    [MemberData(nameof(Kernels))]
    public void Assembles_without_a_warning_a_spill_or_a_stack(int n, int k, DType output, Fp8GemmTile tile)
    {
        var kernel = new Fp8Gemm(n, k, output, tile, HopperGpu.Multiprocessors);
        Ptxas.AssembleClean(kernel.Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
        Assert.InRange(kernel.Geometry.SharedBytes, 0, 227 * 1024);
        Assert.InRange(tile.Stages(output), 3, 8);
    }

    [PtxasTheory]
    [InlineData(4096, 7168)]
    [InlineData(7168, 2048)]
    public void Grouped_kernels_assemble_as_well(int n, int k)
    {
        foreach (var groups in new Fp8Groups[] { new ContiguousGroups(32), new MaskedGroups(32, 4096), new ListedGroups(256) })
            foreach (var tile in new[] { Fp8GemmTile.Few, Fp8GemmTile.FewRows, Fp8GemmTile.Middle })
                Ptxas.AssembleClean((new Fp8Gemm(n, k, DType.BF16, tile, HopperGpu.Multiprocessors) { Groups = groups }).Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
    }

    /// <summary>Of a step: four products for each wave, a fused multiply-add for each of their sums, and not many other instructions.</summary>
    [PtxasTheory]
    [MemberData(nameof(Loops))]
    public void The_loop_is_matrix_instructions_and_promotion(Fp8GemmTile tile, double others)
    {
        var text = new Fp8Gemm(4096, 7168, DType.BF16, tile, HopperGpu.Multiprocessors).Emit(PtxTarget.Sm90a).ToText();
        var loop = Disassembly.Of(text, "sm_90a").LoopAround("QGMMA");
        int Count(string opcode) => loop.Count(i => i.Opcode.StartsWith(opcode, StringComparison.Ordinal));
        var products = 4 * tile.Waves * tile.Together(DType.BF16, 7168 / Fp8GemmTile.Step);
        Assert.Equal(products, Count("QGMMA"));
        Assert.All(loop.Where(i => i.Opcode.StartsWith("QGMMA", StringComparison.Ordinal)), i => Assert.StartsWith($"QGMMA.64x{tile.Columns}x32.F32.E4M3.E4M3", i.Opcode));
        Assert.Equal(tile.Columns / 8 * products, Count("FFMA"));
        Assert.Equal(0, Count("LDL") + Count("STL") + Count("BAR") + Count("LDG"));
        var beside = loop.Count - Count("QGMMA") - Count("FFMA");
        Assert.True(beside <= others * products, $"{(double)beside / products:0.0} other instructions to a product:\n{string.Join('\n', loop.Select(i => $"{i.Opcode} {i.Operands}"))}");
    }

    public static TheoryData<Fp8GemmTile, double> Loops => new() { { Fp8GemmTile.Many, 6.75 }, { Fp8GemmTile.Three, 7.2 }, { Fp8GemmTile.Middle, 7.2 }, { Fp8GemmTile.Few, 7.4 } };
}
