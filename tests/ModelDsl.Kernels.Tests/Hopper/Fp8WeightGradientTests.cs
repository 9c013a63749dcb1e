using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.VirtualGpu;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>Gradients of weights against float64 products of what codes and scales stand for.</summary>
public class Fp8WeightGradientTests
{
    /// <summary>Tokens, outputs, inputs: whole tiles; every edge ragged; one token; narrow; more steps than stages and several tiles for a block.</summary>
    [Theory]
    [InlineData(256, 128, 128)]
    [InlineData(200, 200, 144)]
    [InlineData(1, 64, 72)]
    [InlineData(300, 7, 4)]
    [InlineData(1296, 300, 392)]
    public void Adds_to_what_is_there(int tokens, int n, int k)
    {
        using var run = Prepare(new Fp8WeightGradient(n, k, Blocks: 3), [tokens], out var expected);
        Close.ToFp8Products(expected, run.Launch(tokens).Floats("c"), DType.F32, absolute: 2e-5);
    }

    /// <summary>Experts with whole steps, none, one token, and a ragged end; the last has none.</summary>
    [Theory]
    [InlineData(136, 144, 2)]
    [InlineData(300, 260, 5)]
    public void Experts_have_depths_and_gradients_of_their_own(int n, int k, int blocks)
    {
        int[] counts = [256, 0, 1, 130, 0];
        using var run = Prepare(new Fp8WeightGradient(n, k, blocks) { Groups = counts.Length }, counts, out var expected);
        Close.ToFp8Products(expected, run.Launch(counts.Sum(c => (c + 127) / 128 * 128)).Floats("c"), DType.F32, absolute: 2e-5);
    }

    /// <summary>More steps than stages, two tiles for a block, so that every barrier is used again.</summary>
    [Fact]
    public void Checks_find_nothing()
    {
        int[] counts = [600, 70];
        using var run = Prepare(new Fp8WeightGradient(136, 72, Blocks: 1) { Groups = 2 }, counts, out _, VirtualGpuChecks.All);
        run.Launch(768);
        Assert.Equal("", string.Join("\n", run.Findings));
    }

    [Fact]
    public void Runs_give_the_same_bits_whatever_the_grid()
    {
        float[] Run(int blocks)
        {
            using var run = Prepare(new Fp8WeightGradient(264, 200, blocks) { Groups = 2 }, [333, 100], out _);
            return run.Launch(512).Floats("c");
        }
        var first = Run(3);
        Assert.Equal(first, Run(3));
        Assert.Equal(first, Run(1));
    }

    [PtxasTheory]
    [InlineData(2112, 7168, null)]
    [InlineData(24576, 1536, null)]
    [InlineData(4096, 7168, 32)]
    [InlineData(7168, 2048, 256)]
    public void Assembles_without_a_warning_a_spill_or_a_stack(int n, int k, int? groups)
    {
        var kernel = new Fp8WeightGradient(n, k, HopperGpu.Multiprocessors) { Groups = groups };
        Ptxas.AssembleClean(kernel.Emit(PtxTarget.Sm90a).ToText(), "sm_90a");
        Assert.InRange(kernel.Geometry.SharedBytes, 0, 227 * 1024);
    }

    /// <summary>Of a step: four products, a multiplication and a fused one for each of their sums, and not many other instructions.</summary>
    [PtxasFact]
    public void The_loop_is_matrix_instructions_and_promotion()
    {
        var text = new Fp8WeightGradient(4096, 7168, HopperGpu.Multiprocessors).Emit(PtxTarget.Sm90a).ToText();
        var loop = Disassembly.Of(text, "sm_90a").LoopAround("QGMMA");
        int Count(string opcode) => loop.Count(i => i.Opcode.StartsWith(opcode, StringComparison.Ordinal));
        Assert.Equal(4, Count("QGMMA.64x128x32.F32.E4M3.E4M3"));
        Assert.Equal((64, 64), (Count("FFMA"), Count("FMUL")));
        Assert.Equal(0, Count("LDL") + Count("STL") + Count("BAR") + Count("LDG"));
        var beside = loop.Count - 4 - 128;
        Assert.True(beside <= 60, $"{beside} other instructions:\n{string.Join('\n', loop.Select(i => $"{i.Opcode} {i.Operands}"))}");
    }

    /// <summary>Quantised normal numbers, tokens of groups from multiples of 128 on, and some numbers in C.</summary>
    private static KernelRun Prepare(Fp8WeightGradient kernel, int[] counts, out double[] expected, VirtualGpuChecks checks = VirtualGpuChecks.None)
    {
        var (n, k) = (kernel.N, kernel.K);
        var (a, b) = (TransposedGroups.OfNormal(1, n, counts), TransposedGroups.OfNormal(2, k, counts));
        var c = Samples.Normal(3, counts.Length * n * k, DType.F32, 5);
        expected = [.. c.Select(x => (double)x)];
        for (var (group, first) = (0, 0); group < counts.Length; first += (counts[group] + 127) / 128 * 128, group++)
            for (var i = 0; i < n; i++)
                for (var j = 0; j < k; j++)
                    for (var t = first; t < first + counts[group]; t++)
                        expected[(group * n + i) * k + j] += a.Value(i, t) * b.Value(j, t);
        var run = new KernelRun(kernel, checks).Set("a", a.Codes).Set("b", b.Codes).Set("a_scales", a.Scales).Set("b_scales", b.Scales).Set("c", c).Number("tokens", a.Tokens);
        if (kernel.Groups is not null) run.Set("offsets", [0, .. counts.Select((_, i) => counts[..(i + 1)].Sum())]);
        return run;
    }
}
