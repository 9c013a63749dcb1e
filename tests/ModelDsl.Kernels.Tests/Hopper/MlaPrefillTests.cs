using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Kernels.Tests.Hopper;

public class MlaPrefillTests
{
    private static readonly MlaPrefill DeepSeek = new(2, 128, 64, 128, Math.Pow(192, -0.5)) { WriteLse = true };

    /// <summary>Heads, queries, keys: one of each; a tile and a bit; a cached prefix, so that the diagonal crosses tiles; fewer keys than queries, so that some see none.</summary>
    public static TheoryData<int, int, int, bool> Lengths => new()
    {
        { 1, 1, 1, true }, { 2, 20, 140, true }, { 1, 300, 300, true }, { 1, 140, 333, true }, { 1, 140, 20, true }, { 3, 20, 300, false }, { 1, 140, 1, false },
    };

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Is_as_close_to_the_equations_as_peers_ask(int heads, int tokens, int context, bool causal) =>
        Check(DeepSeek with { Heads = heads, Causal = causal }, [tokens], [context]);

    [Theory]
    [InlineData(64, 64, 64)]
    [InlineData(64, 128, 128)]
    [InlineData(128, 64, 64)]
    public void Other_widths(int nope, int rope, int v) => Check(DeepSeek with { NopeDim = nope, RopeDim = rope, VDim = v }, [70], [150]);

    /// <summary>Sequences without queries, without keys, without either, and more of them than lanes.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Sequences_of_any_length(bool causal)
    {
        int[] queries = [20, 0, 140, 1, 7, 0, 300], keys = [20, 5, 300, 140, 0, 0, 180];
        Check(DeepSeek with { Heads = 1, Causal = causal, Sequences = queries.Length }, queries, keys);
        int[] many = [.. Enumerable.Range(0, 40).Select(i => i % 3)];
        Check(DeepSeek with { NopeDim = 64, VDim = 64, Heads = 1, Causal = causal, Sequences = 40 }, many, [.. many.Select(n => n + n / 2)]);
    }

    [Fact]
    public void Runs_give_the_same_bits()
    {
        var data = MlaData.Of(DeepSeek, [140], [300]);
        using var first = Run(DeepSeek, data);
        using var second = Run(DeepSeek, data);
        Assert.Equal(first.Floats("out"), second.Floats("out"));
        Assert.Equal(first.Floats("lse"), second.Floats("lse"));
    }

    /// <summary>More steps than stages, masked and not, two sequences.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Checks_find_nothing(bool causal)
    {
        var kernel = new MlaPrefill(1, 64, 64, 64, 0.1) { WriteLse = true, Sequences = 2, Causal = causal };
        using var run = Run(kernel, MlaData.Of(kernel, [130, 3], [530, 140]), VirtualGpuChecks.All);
        Assert.Equal("", string.Join("\n", run.Findings));
    }

    private static void Check(MlaPrefill kernel, int[] queries, int[] keys)
    {
        var data = MlaData.Of(kernel, queries, keys);
        var (output, lse, _) = data.Forward(kernel);
        using var run = Run(kernel, data);
        PeerCriteria.Close(output, run.Floats("out"), absolute: 8e-4, relative: 2.01 / 128, cosine: 5e-6);
        PeerCriteria.Close(lse, run.Floats("lse"), absolute: 1e-6, relative: 8.01 / 65536, cosine: 1e-7);
    }

    private static KernelRun Run(MlaPrefill kernel, MlaData data, VirtualGpuChecks checks = VirtualGpuChecks.None)
    {
        var run = new KernelRun(kernel, checks).Set("q", data.Q).Set("kv", data.KV).Set("k_rope", data.KRope);
        run.Output("out", data.Tokens * kernel.Heads * kernel.VDim).Output("lse", data.Tokens * kernel.Heads);
        if (kernel.Sequences is not null) run.Set("q_starts", data.QueryStarts).Set("k_starts", data.KeyStarts);
        run.Number("tokens", data.Tokens).Number("context", data.Context).Symbol(DimSymbol.Tokens, data.Tokens).Symbol(DimSymbol.Context, data.Context);
        return run.Launch(data.Tokens);
    }
}
