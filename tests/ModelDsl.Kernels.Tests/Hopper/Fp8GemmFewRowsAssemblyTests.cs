using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Ptx.Targets;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Hopper;

public class Fp8GemmFewRowsAssemblyTests
{
    public static TheoryData<int, int, DType, FewRowsTile> Kernels => new()
    {
        { 2112, 7168, DType.BF16, new(16, 64, 4) }, { 24576, 1536, DType.BF16, new(64, 128, 1) }, { 32768, 512, DType.BF16, new(32, 128, 2) },
        { 7168, 16384, DType.BF16, new(128, 64, 2) }, { 4096, 7168, DType.F32, new(128, 64, 4) }, { 7168, 2048, DType.F32, new(8, 64, 8) }, { 2112, 7168, DType.BF16, new(64, 64, 4) },
    };

    [PtxasTheory]
    [MemberData(nameof(Kernels))]
    public void Assembles_without_a_warning_a_spill_or_a_stack(int n, int k, DType output, FewRowsTile tile)
    {
        var kernel = new Fp8GemmFewRows(n, k, output, tile);
        Ptxas.AssembleClean(kernel.Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
        Assert.InRange(FewRowsTile.Residents * (kernel.Geometry.SharedBytes + 1024), 0, 228 * 1024);
        Assert.InRange(tile.Stages, 4, 12);
    }

    /// <summary>Of a step: four products, a fused multiply-add for each of their sums, a multiplication for each column's scale, and not many other instructions.</summary>
    [PtxasTheory]
    [InlineData(16, 64, 42)]
    [InlineData(64, 128, 75)]
    [InlineData(128, 64, 80)]
    public void The_loop_is_matrix_instructions_and_promotion(int rows, int outputs, int others)
    {
        var text = new Fp8GemmFewRows(4096, 7168, DType.BF16, new FewRowsTile(rows, outputs, 4)).Emit(PtxTarget.Sm90a).ToText();
        var loop = Disassembly.Of(text, "sm_90a").LoopAround("QGMMA");
        int Count(string opcode) => loop.Count(i => i.Opcode.StartsWith(opcode, StringComparison.Ordinal));
        var waves = outputs / 64;
        Assert.Equal(4 * waves, Count("QGMMA"));
        Assert.All(loop.Where(i => i.Opcode.StartsWith("QGMMA", StringComparison.Ordinal)), i => Assert.StartsWith($"QGMMA.64x{rows}x32.F32.E4M3.E4M3", i.Opcode));
        Assert.Equal(waves * rows / 2, Count("FFMA"));
        Assert.Equal(rows / 4, Count("FMUL"));
        Assert.Equal(0, Count("LDL") + Count("STL") + Count("BAR") + Count("STG"));
        // The scales of W are read once for 32 steps, behind a jump.
        const int OfFetch = 5;
        Assert.Equal(1, Count("LDG"));
        var beside = loop.Count - waves * (4 + rows / 2) - rows / 4 - OfFetch;
        Assert.True(beside <= others, $"{beside} other instructions to a step:\n{string.Join('\n', loop.Select(i => $"{i.Opcode} {i.Operands}"))}");
    }
}
