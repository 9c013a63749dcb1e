using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Attention;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Attention;

public sealed class MlaPrefillTests
{
    /// <summary>Heads, widths, new tokens, context: round and not, one query, a cached prefix, more than one tile.</summary>
    public static TheoryData<int, int, int, int, int, int> Shapes => new()
    {
        { 2, 32, 16, 32, 48, 48 },
        { 1, 16, 8, 16, 1, 1 },
        { 3, 12, 6, 10, 20, 33 },
        { 2, 13, 6, 11, 70, 131 },
        { 1, 128, 64, 128, 65, 200 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void MatchesTheEquationsInFp32(int heads, int nope, int rope, int v, int tokens, int context) =>
        Check(DType.F32, heads, nope, rope, v, tokens, context, limit: 1e-6);

    /// <summary>Probabilities and results are rounded to eight bits: two roundings of 2^-9, averaged over many keys.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void MatchesTheEquationsInBf16(int heads, int nope, int rope, int v, int tokens, int context) =>
        Check(DType.BF16, heads, nope, rope, v, tokens, context, limit: 4e-3);

    private static void Check(DType io, int heads, int nope, int rope, int v, int tokens, int context, double limit)
    {
        var scale = Math.Pow(nope + rope, -0.5);
        var q = Samples.Normal(1, tokens * heads * (nope + rope), io);
        var kv = Samples.Normal(2, context * heads * (nope + v), io);
        var kRope = Samples.Normal(3, context * rope, io);
        using var run = new KernelRun(new MlaPrefillKernel(heads, nope, rope, v, scale, io))
            .Set("q", q).Set("kv", kv).Set("k_rope", kRope).Output("out", tokens * heads * v)
            .Number("tokens", tokens).Number("context", context).Symbol(DimSymbol.Tokens, tokens).Symbol(DimSymbol.Context, context)
            .Launch(tokens);
        var expected = MlaReference.Prefill(heads, nope, rope, v, scale, Wide(q), Wide(kv), Wide(kRope), tokens, context);
        Assert.InRange(Numbers.RelativeL2(run.Floats("out"), [.. expected.Select(x => (float)x)]), 0, limit);
    }

    private static double[] Wide(float[] values) => [.. values.Select(value => (double)value)];
}
