using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Kernels.Tests.Hopper;

public class MlaPrefillBackwardTests
{
    private static readonly MlaPrefill DeepSeek = new(1, 128, 64, 128, Math.Pow(192, -0.5)) { WriteLse = true };

    /// <summary>Heads, queries, keys: one of each; a tile and a bit; a cached prefix; fewer keys than queries, so that some see none.</summary>
    public static TheoryData<int, int, int, bool> Lengths => new()
    {
        { 1, 1, 1, true }, { 3, 20, 140, true }, { 1, 300, 300, true }, { 1, 140, 20, true }, { 2, 70, 150, false }, { 1, 140, 30, false },
    };

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Is_as_close_to_the_equations_as_peers_ask(int heads, int tokens, int context, bool causal) =>
        Check(DeepSeek with { Heads = heads, Causal = causal }, [tokens], [context]);

    [Theory]
    [InlineData(64, 64, 64)]
    [InlineData(64, 128, 128)]
    public void Other_widths(int nope, int rope, int v) => Check(DeepSeek with { NopeDim = nope, RopeDim = rope, VDim = v, Heads = 2 }, [70], [150]);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Sequences_of_any_length(bool causal) =>
        Check(DeepSeek with { Causal = causal, Sequences = 6 }, [20, 0, 140, 1, 7, 0], [20, 5, 200, 140, 0, 0]);

    [Fact]
    public void Runs_give_the_same_bits()
    {
        var data = MlaData.Of(DeepSeek, [140], [200]);
        var (first, second) = (Gradients(DeepSeek, data), Gradients(DeepSeek, data));
        Assert.Equal(first.Queries, second.Queries);
        Assert.Equal(first.KV, second.KV);
        Assert.Equal(first.Rope, second.Rope);
    }

    /// <summary>More steps than stages on both sides, masked and not, two sequences.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Checks_find_nothing(bool causal)
    {
        var shape = new MlaPrefill(1, 64, 64, 64, 0.1) { WriteLse = true, Sequences = 2, Causal = causal };
        var findings = new List<string>();
        Gradients(shape, MlaData.Of(shape, [270, 3], [280, 140]), VirtualGpuChecks.All, findings);
        Assert.Empty(findings);
    }

    /// <summary>Sums in FP32, rounded once.</summary>
    [Fact]
    public void What_all_heads_share_is_summed_in_order()
    {
        const int Heads = 5, Width = 64, Rows = 7;
        var x = Samples.Normal(1, Rows * Heads * Width, DType.BF16);
        using var run = new KernelRun(new HeadSum(Heads, Width)).Set("x", x).Output("out", Rows * Width).Number("rows", Rows).Launch(Rows);
        double[] expected = [.. Enumerable.Range(0, Rows * Width).Select(i => Enumerable.Range(0, Heads).Sum(h => (double)x[(i / Width * Heads + h) * Width + i % Width]))];
        Close.To(expected, run.Floats("out"), DType.BF16);
    }

    private static void Check(MlaPrefill shape, int[] queries, int[] keys)
    {
        var data = MlaData.Of(shape, queries, keys);
        var expected = MlaGradients.Of(shape, data, OutputGradient(shape, data));
        var actual = Gradients(shape, data);
        void Closely(double[] reference, float[] values) => PeerCriteria.Close(reference, values, absolute: 1e-3, relative: 8.01 / 128, cosine: 7e-6);
        Closely(expected.Queries, actual.Queries);
        Closely(expected.KV, actual.KV);
        Closely(expected.Rope, actual.Rope);
    }

    private static float[] OutputGradient(MlaPrefill shape, MlaData data) =>
        [.. Samples.Normal(4, data.Tokens * shape.Heads * shape.VDim, DType.BF16, deviation: 0.1).Select(x => Math.Clamp(x, -1f, 1f))];

    /// <summary>By all kernels, one after the other.</summary>
    private static (float[] Queries, float[] KV, float[] Rope) Gradients(MlaPrefill shape, MlaData data, VirtualGpuChecks checks = VirtualGpuChecks.None, List<string>? findings = null)
    {
        var (tokens, context, heads) = (data.Tokens, data.Context, shape.Heads);
        var dOut = OutputGradient(shape, data);
        using var forward = Launch(shape, run => run.Output("out", tokens * heads * shape.VDim).Output("lse", heads * tokens));
        using var sums = Launch(new MlaPrefillDelta(heads, shape.VDim), run => run.Set("out", forward.Floats("out")).Set("d_out", dOut).Output("delta", heads * tokens));
        KernelRun Backward(MlaGradient of, Func<KernelRun, KernelRun> outputs) => Launch(
            new MlaPrefillBackward(shape, of), run => outputs(run.Set("d_out", dOut).Set("lse", forward.Floats("lse")).Set("delta", sums.Floats("delta"))));
        using var ofQueries = Backward(MlaGradient.Queries, run => run.Output("d_q", tokens * heads * shape.Depth));
        using var ofKeys = Backward(MlaGradient.Keys, run => run.Output("d_kv", context * heads * shape.PerKey).Output("d_k_rope", context * heads * shape.RopeDim));
        foreach (var run in new[] { sums, ofQueries, ofKeys }) findings?.AddRange(run.Findings.Select(f => f.ToString()!));
        return (ofQueries.Floats("d_q"), ofKeys.Floats("d_kv"), ofKeys.Floats("d_k_rope"));

        KernelRun Launch(Kernel kernel, Func<KernelRun, KernelRun> buffers)
        {
            var run = buffers(new KernelRun(kernel, checks)).Number("tokens", tokens).Symbol(DimSymbol.Tokens, tokens).Symbol(DimSymbol.Context, context);
            if (kernel is MlaPrefillDelta) return run.Launch(tokens);
            run.Set("q", data.Q).Set("kv", data.KV).Set("k_rope", data.KRope).Number("context", context);
            if (shape.Sequences is not null) run.Set("q_starts", data.QueryStarts).Set("k_starts", data.KeyStarts);
            return run.Launch(tokens);
        }
    }
}
