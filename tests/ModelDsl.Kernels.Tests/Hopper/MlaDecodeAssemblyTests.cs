using System.Text.RegularExpressions;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Ptx.Targets;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>What the assembler makes of attention in decode steps.</summary>
public class MlaDecodeAssemblyTests
{
    private const int NopeDim = 128;

    [PtxasTheory]
    [InlineData(128, 1, 66)]
    [InlineData(128, 2, 33)]
    [InlineData(16, 1, 132)]
    [InlineData(9, 4, 132)]
    public void Assembles_without_a_warning_a_spill_or_a_stack(int heads, int queries, int parts)
    {
        var kernel = new MlaDecode(heads, queries, NopeDim, 0.07, parts);
        Ptxas.AssembleClean(kernel.Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
        Ptxas.AssembleClean((kernel with { Fp8Cache = true }).Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
        Ptxas.AssembleClean(new MlaDecodeCombine(kernel.Rows, parts).Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
        Ptxas.AssembleClean(new MlaDecodePlan().Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
        Assert.InRange(kernel.Geometry.SharedBytes, 0, 227 * 1024);
    }

    /// <summary>
    /// Of a page: 36 products for scores and twice 8 for values, 2176 clocks of the tensor cores; beside them 32 exponentials. FlashMLA's two loops together have 0.416
    /// instructions to such a clock; here 0.38, of which a good third is jumped over unless a row has found a larger score (128 multiplications) or a page ends early.
    /// </summary>
    [PtxasFact]
    public void Loops_are_products_and_softmax()
    {
        var text = new MlaDecode(128, 1, NopeDim, 0.07, 66).Emit(PtxTarget.Sm90a).ToText();
        var scores = Loop("HGMMA.64x64x16.F32.BF16", 36);
        var values = Loop("HGMMA.64x128x16.F32.BF16", 8);
        // The others have two tiles in shared memory, which alone take all of its bandwidth.
        Assert.Equal(18, scores.Count(i => i.Opcode.StartsWith("HGMMA", StringComparison.Ordinal) && Regex.IsMatch(i.Operands, @"^R\d+, R\d+, gdesc")));
        Assert.Equal(34, scores.Count(i => i.Opcode.StartsWith("MUFU.EX2", StringComparison.Ordinal)));
        Assert.Equal(128, values.Count(i => i.Opcode.StartsWith("FMUL", StringComparison.Ordinal)));
        Assert.InRange((scores.Length + 2 * values.Length) / 2176.0, 0.3, 0.38);

        (int Address, string Opcode, string Operands)[] Loop(string product, int products)
        {
            var loop = Disassembly.Of(text, "sm_90a").LoopAround(product).ToArray();
            Assert.Equal(products, loop.Count(i => i.Opcode.StartsWith(product, StringComparison.Ordinal)));
            Assert.DoesNotContain(loop, i => i.Opcode.StartsWith("LDL", StringComparison.Ordinal) || i.Opcode.StartsWith("STL", StringComparison.Ordinal) || i.Opcode.StartsWith("LDG", StringComparison.Ordinal));
            return loop;
        }
    }
}
