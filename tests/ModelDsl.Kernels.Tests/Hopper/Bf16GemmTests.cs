using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.VirtualGpu;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>A linear layer forward and both gradients, against float64 products of the BF16 operands.</summary>
public class Bf16GemmTests
{
    /// <summary>Rows, outputs, inputs: whole tiles; every edge ragged; one row; less depth than a step; more steps than stages.</summary>
    public static TheoryData<int, int, int> Shapes { get; } = new() { { 128, 128, 128 }, { 70, 200, 144 }, { 1, 64, 72 }, { 300, 136, 8 }, { 130, 8, 904 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Forward(int rows, int n, int k)
    {
        Check(GemmForm.Forward, rows, n, k, DType.BF16, Bf16GemmTile.Many);
        Check(GemmForm.Forward, rows, n, k, DType.F32, Bf16GemmTile.Few);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gradient_of_inputs(int rows, int n, int k)
    {
        Check(GemmForm.InputGradient, rows, n, k, DType.BF16, Bf16GemmTile.Many);
        Check(GemmForm.InputGradient, rows, n, k, DType.F32, Bf16GemmTile.Middle);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gradient_of_weights(int rows, int n, int k)
    {
        Check(GemmForm.WeightGradient, rows, n, k, DType.BF16, Bf16GemmTile.Many);
        Check(GemmForm.WeightGradient, rows, n, k, DType.F32, Bf16GemmTile.Middle);
        Check(GemmForm.WeightGradient, rows, n, k, DType.F32, Bf16GemmTile.Few, accumulates: true);
    }

    /// <summary>Two tiles for a block and more steps than stages, so that every barrier is used again.</summary>
    [Theory]
    [InlineData(GemmForm.Forward)]
    [InlineData(GemmForm.InputGradient)]
    [InlineData(GemmForm.WeightGradient)]
    public void Checks_find_nothing(GemmForm form)
    {
        foreach (var tile in new[] { Bf16GemmTile.Few, Bf16GemmTile.Middle })
        {
            using var run = Prepare(new Bf16Gemm(form, 136, 648, DType.F32, tile, Blocks: 1) { Accumulates = form == GemmForm.WeightGradient }, 70, out _, VirtualGpuChecks.All);
            run.Launch(70);
            Assert.True(run.Findings.Count == 0, string.Join("\n", run.Findings));
        }
    }

    [Fact]
    public void Runs_give_the_same_bits_whatever_the_grid()
    {
        float[] Run(int blocks, Bf16GemmTile tile)
        {
            using var run = Prepare(new Bf16Gemm(GemmForm.WeightGradient, 264, 200, DType.F32, tile, blocks) { Accumulates = true }, 333, out _);
            return run.Launch(333).Floats("c");
        }
        var first = Run(3, Bf16GemmTile.Middle);
        Assert.Equal(first, Run(3, Bf16GemmTile.Middle));
        Assert.Equal(first, Run(1, Bf16GemmTile.Few));
    }

    [PtxasTheory]
    [InlineData(GemmForm.Forward)]
    [InlineData(GemmForm.InputGradient)]
    [InlineData(GemmForm.WeightGradient)]
    public void Assembles_without_a_warning_a_spill_or_a_stack(GemmForm form)
    {
        foreach (var (tile, output) in new[] { (Bf16GemmTile.Many, DType.BF16), (Bf16GemmTile.Middle, DType.F32), (Bf16GemmTile.Few, DType.BF16) })
            foreach (var (n, k) in new[] { (256, 7168), (129280, 7168) })
            {
                var kernel = new Bf16Gemm(form, n, k, output, tile, 132) { Accumulates = output == DType.F32 };
                Ptxas.AssembleClean(kernel.Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
                Assert.InRange(kernel.Geometry.SharedBytes, 0, 227 * 1024);
                Assert.InRange(tile.Stages(output), 3, 8);
            }
    }

    /// <summary>Of a step: four products and not many other instructions.</summary>
    [PtxasTheory]
    [InlineData(GemmForm.Forward, 44)]
    [InlineData(GemmForm.InputGradient, 44)]
    [InlineData(GemmForm.WeightGradient, 44)]
    public void The_loop_is_matrix_instructions(GemmForm form, int others)
    {
        var text = new Bf16Gemm(form, 4096, 7168, DType.BF16, Bf16GemmTile.Many, 132).Emit(PtxTarget.Sm90a).ToText();
        var loop = Disassembly.Of(text, "sm_90a").LoopAround("HGMMA");
        Assert.Equal(4, loop.Count(i => i.Opcode.StartsWith("HGMMA.64x256x16.F32.BF16", StringComparison.Ordinal)));
        Assert.DoesNotContain(loop, i => i.Opcode is "LDL" or "STL" or "BAR" || i.Opcode.StartsWith("FADD", StringComparison.Ordinal) || i.Opcode.StartsWith("MOV", StringComparison.Ordinal));
        Assert.True(loop.Count - 4 <= others, $"{loop.Count - 4}:\n{string.Join('\n', loop.Select(i => $"{i.Opcode} {i.Operands}"))}");
    }

    private static void Check(GemmForm form, int rows, int n, int k, DType output, Bf16GemmTile tile, bool accumulates = false)
    {
        var kernel = new Bf16Gemm(form, n, k, output, tile, Blocks: 3) { Accumulates = accumulates };
        using var run = Prepare(kernel, rows, out var expected);
        PeerCriteria.Close(expected, run.Launch(rows).Floats("c"), absolute: 1e-4, relative: output == DType.BF16 ? 1.01 / 256 : 1e-5, cosine: output == DType.BF16 ? 1e-5 : 1e-11);
    }

    /// <summary>Normal numbers; C holds some, too, where it is added to.</summary>
    private static KernelRun Prepare(Bf16Gemm kernel, int rows, out double[] expected, VirtualGpuChecks checks = VirtualGpuChecks.None)
    {
        var (form, n, k) = (kernel.Form, kernel.N, kernel.K);
        var (aWidth, height, width, depth) = form switch
        {
            GemmForm.Forward => (k, rows, n, k),
            GemmForm.InputGradient => (n, rows, k, n),
            _ => (n, n, k, rows),
        };
        var isWeight = form != GemmForm.WeightGradient;
        var (a, b) = (Samples.Normal(1, rows * aWidth, DType.BF16), Samples.Normal(2, (isWeight ? n : rows) * k, DType.BF16));
        var c = Samples.Normal(3, height * width, DType.F32, 30);
        var run = new KernelRun(kernel, checks).Set("a", a).Set(isWeight ? "w" : "b", b).Number("rows", rows);
        _ = kernel.Accumulates ? run.Set("c", c) : run.Output("c", height * width);
        expected = new double[height * width];
        for (var i = 0; i < height; i++)
            for (var j = 0; j < width; j++)
            {
                var sum = kernel.Accumulates ? (double)c[i * width + j] : 0;
                for (var d = 0; d < depth; d++)
                    sum += (double)(form == GemmForm.WeightGradient ? a[d * n + i] : a[i * aWidth + d]) * (form == GemmForm.Forward ? b[j * k + d] : b[d * k + j]);
                expected[i * width + j] = sum;
            }
        return run;
    }
}
