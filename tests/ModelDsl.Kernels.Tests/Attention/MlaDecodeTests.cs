using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Attention;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Attention;

/// <summary>Decode and combine together: sequences of different lengths over scattered pages, in splits.</summary>
public sealed class MlaDecodeTests
{
    /// <summary>Heads, widths, page, pages per split, lengths of the sequences.</summary>
    public static TheoryData<int, int, int, int, int, int, int[]> Shapes => new()
    {
        { 2, 64, 32, 16, 64, 4, [49] },
        { 4, 128, 64, 32, 64, 1, [1, 64, 65, 160] },
        { 3, 25, 13, 6, 16, 2, [7, 100, 32] },
        { 17, 48, 16, 8, 10, 3, [5, 95] },
        { 16, 512, 128, 64, 64, 2, [300] },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void MatchesTheEquationsInFp32(int heads, int rank, int nope, int rope, int page, int splitPages, int[] lengths) =>
        Check(DType.F32, heads, rank, nope, rope, page, splitPages, lengths, limit: 1e-6);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void MatchesTheEquationsInBf16(int heads, int rank, int nope, int rope, int page, int splitPages, int[] lengths) =>
        Check(DType.BF16, heads, rank, nope, rope, page, splitPages, lengths, limit: 4e-3);

    private static void Check(DType io, int heads, int rank, int nope, int rope, int page, int splitPages, int[] lengths, double limit)
    {
        var scale = Math.Pow(nope + rope, -0.5);
        var (batch, width) = (lengths.Length, rank + rope);
        var maxPages = lengths.Max(length => (length + page - 1) / page) + 1;
        var splits = (lengths.Max() + page * splitPages - 1) / (page * splitPages);
        var qLatent = Samples.Normal(1, batch * heads * rank, io, 0.3);
        var q = Samples.Normal(2, batch * heads * (nope + rope), io);
        var cache = Samples.Normal(3, batch * maxPages * page * width, io);
        var pages = Samples.Permutation(4, batch * maxPages);

        using var decode = new KernelRun(new MlaDecodeKernel(heads, rank, nope, rope, page, splitPages, scale, io))
            .Set("q_latent", qLatent).Set("q", q).Set("cache", cache).Set("pages", pages).Set("lengths", lengths)
            .Output("partial", batch * splits * heads * rank).Output("lse", batch * splits * heads)
            .Number("max_pages", maxPages).Number("splits", splits).Number("tokens", batch)
            .Symbol(DimSymbol.Tokens, batch).Symbol(DimSymbol.Splits, splits).Launch(batch);
        using var combine = new KernelRun(new MlaCombineKernel(heads, rank, io))
            .Set("partial", decode.Floats("partial")).Set("lse", decode.Floats("lse")).Output("out", batch * heads * rank)
            .Number("splits", splits).Number("tokens", batch).Symbol(DimSymbol.Tokens, batch).Launch(batch);

        var actual = combine.Floats("out");
        for (var b = 0; b < batch; b++)
        {
            var table = pages[(b * maxPages)..];
            var rows = Enumerable.Range(0, lengths[b]).SelectMany(j => Wide(cache, (table[j / page] * page + j % page) * width, width)).ToArray();
            var expected = MlaReference.Decode(
                heads, rank, nope, rope, scale, Wide(qLatent, b * heads * rank, heads * rank),
                Wide(q, b * heads * (nope + rope), heads * (nope + rope)), rows, lengths[b]);
            Assert.InRange(Numbers.RelativeL2(actual.AsSpan(b * heads * rank, heads * rank), [.. expected.Select(x => (float)x)]), 0, limit);
        }
    }

    private static double[] Wide(float[] values, int start, int count) => [.. values.AsSpan(start, count).ToArray().Select(value => (double)value)];
}
