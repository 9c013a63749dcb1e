using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Cache;
using ModelDsl.Compiler.Specs;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Cache;

public sealed class CacheGatherTests
{
    private const int Pages = 5;

    [Theory]
    [InlineData(25, 6, 4, 11, DType.F32)]
    [InlineData(25, 6, 4, 12, DType.BF16)]
    [InlineData(128, 32, 64, 65, DType.F32)]
    [InlineData(512, 64, 16, 33, DType.BF16)]
    [InlineData(12, 600, 3, 4, DType.BF16)]
    public void PutsPagesInARow(int rank, int rope, int page, int context, DType io)
    {
        var (cache, pages, rows) = Sequence(rank + rope, page, context, io);
        using var run = new KernelRun(new CacheGatherKernel(rank, rope, page, io, null))
            .Set("cache", cache).Set("pages", pages).Output("latent", context * rank).Output("k_rope", context * rope)
            .Symbol(DimSymbol.Context, context).Number("context", context).Launch(context);
        Assert.Equal(rows.SelectMany(row => row.Take(rank)), run.Floats("latent"));
        Assert.Equal(rows.SelectMany(row => row.Skip(rank)), run.Floats("k_rope"));
    }

    [Theory]
    [InlineData(25, 6, DType.F32, ScaleRounding.Exact)]
    [InlineData(512, 64, DType.BF16, ScaleRounding.Exact)]
    [InlineData(1160, 8, DType.F32, ScaleRounding.PowerOfTwo)]
    public void QuantisesOnTheWay(int rank, int rope, DType io, ScaleRounding scale)
    {
        const int Context = 7;
        var (cache, pages, rows) = Sequence(rank + rope, 2, Context, io);
        using var run = new KernelRun(new CacheGatherKernel(rank, rope, 2, io, scale))
            .Set("cache", cache).Set("pages", pages).Output("q", Context * rank).Output("scales", QuantizedRows.ScaleCount(Context, rank))
            .Output("k_rope", Context * rope).Symbol(DimSymbol.Context, Context).Number("context", Context).Launch(Context);
        var expected = QuantizedRows.Of([.. rows.SelectMany(row => row.Take(rank))], rank, scale == ScaleRounding.PowerOfTwo);
        Assert.Equal(QuantizedRows.ByRow(expected.Scales, Context), QuantizedRows.ByRow(run.Floats("scales"), Context));
        Assert.Equal(expected.Codes, run.Codes("q"));
        Assert.Equal(rows.SelectMany(row => row.Skip(rank)), run.Floats("k_rope"));
    }

    /// <summary>Latents come back as the BF16 numbers that decode attention sees, or quantised anew from them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WidensRowsInFp8(bool powerOfTwo)
    {
        const int Rank = 512, Rope = 64, Page = 16, Context = 37;
        var (cache, pages, _) = Sequence(Rank + Rope, Page, Context, DType.BF16);
        var (bytes, values) = Fp8CacheRows.Of(cache, powerOfTwo);
        float[][] rows = [.. Enumerable.Range(0, Context).Select(j => values.AsSpan((pages[j / Page] * Page + j % Page) * (Rank + Rope), Rank + Rope).ToArray())];
        KernelRun Start(ScaleRounding? scale) => new KernelRun(new CacheGatherKernel(Rank, Rope, Page, DType.BF16, scale) { Fp8 = true })
            .Set("cache", bytes).Set("pages", pages).Output("k_rope", Context * Rope).Symbol(DimSymbol.Context, Context).Number("context", Context);
        using var plain = Start(null).Output("latent", Context * Rank).Launch(Context);
        Assert.Equal(rows.SelectMany(row => row.Take(Rank)), plain.Floats("latent"));
        Assert.Equal(rows.SelectMany(row => row.Skip(Rank)), plain.Floats("k_rope"));

        using var quantised = Start(ScaleRounding.Exact).Output("q", Context * Rank).Output("scales", QuantizedRows.ScaleCount(Context, Rank)).Launch(Context);
        var expected = QuantizedRows.Of([.. rows.SelectMany(row => row.Take(Rank))], Rank);
        Assert.Equal(QuantizedRows.ByRow(expected.Scales, Context), QuantizedRows.ByRow(quantised.Floats("scales"), Context));
        Assert.Equal(expected.Codes, quantised.Codes("q"));
    }

    private static (float[] Cache, int[] Pages, float[][] Rows) Sequence(int width, int page, int context, DType io)
    {
        var cache = Samples.Normal(1, Pages * page * width, io);
        var pages = Samples.Permutation(2, Pages)[..((context + page - 1) / page)];
        var rows = Enumerable.Range(0, context).Select(j => cache.Skip((pages[j / page] * page + j % page) * width).Take(width).ToArray());
        return (cache, pages, [.. rows]);
    }
}
