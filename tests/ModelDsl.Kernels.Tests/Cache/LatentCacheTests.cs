using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Cache;
using ModelDsl.Compiler.Specs;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Cache;

public sealed class LatentCacheTests
{
    private const double Epsilon = 1e-5;

    [Theory]
    [InlineData(25, 6, DType.F32)]
    [InlineData(25, 6, DType.BF16)]
    [InlineData(128, 32, DType.F32)]
    [InlineData(512, 64, DType.BF16)]
    [InlineData(10, 90, DType.BF16)]
    [InlineData(2056, 8, DType.BF16)]
    public void WritesNormalisedLatentAndRotatedKey(int rank, int rope, DType io)
    {
        var width = rank + rope;
        int[] positions = [4, 5, 0], slots = [2, 7, 5];
        var (kv, weight) = (Samples.Normal(1, 3 * width, io), Samples.Normal(2, rank));
        var (cos, sin) = Samples.Rotary(6, rope);
        var before = Samples.Normal(3, 8 * width, io);
        using var run = new KernelRun(new LatentCacheKernel(rank, rope, Epsilon, io))
            .Set("kv", kv).Set("weight", weight).Set("cos", cos).Set("sin", sin).Set("positions", positions).Set("slots", slots)
            .Set("cache", before).Number("tokens", 3).Launch(3);

        var expected = before.Select(x => (double)x).ToArray();
        for (var t = 0; t < 3; t++)
        {
            var row = kv.Skip(t * width).Take(width).Select(x => (double)x).ToArray();
            var factor = 1 / Math.Sqrt(row.Take(rank).Sum(x => x * x) / rank + Epsilon);
            for (var i = 0; i < rank; i++) expected[slots[t] * width + i] = row[i] * factor * weight[i];
            for (var i = 0; i < rope / 2; i++)
            {
                var (a, b, angle) = (row[rank + 2 * i], row[rank + 2 * i + 1], positions[t] * (rope / 2) + i);
                expected[slots[t] * width + rank + 2 * i] = a * cos[angle] - b * sin[angle];
                expected[slots[t] * width + rank + 2 * i + 1] = a * sin[angle] + b * cos[angle];
            }
        }

        Close.To(expected, run.Floats("cache"), io);
    }

    /// <summary>The bytes that quantising the BF16 cache's rows would give, between rows that stay as they are.</summary>
    [Theory]
    [InlineData(ScaleRounding.Exact)]
    [InlineData(ScaleRounding.PowerOfTwo)]
    public void WritesRowsOfAnFp8Cache(ScaleRounding rounding)
    {
        const int Rank = 512, Rope = 64, Width = Rank + Rope;
        int[] slots = [2, 3, 0];
        var (kv, weight) = (Samples.Normal(1, 3 * Width, DType.BF16), Samples.Normal(2, Rank));
        var (cos, sin) = Samples.Rotary(6, Rope);
        KernelRun Run(LatentCacheKernel kernel) => new KernelRun(kernel)
            .Set("kv", kv).Set("weight", weight).Set("cos", cos).Set("sin", sin).Set("positions", [4, 5, 0]).Set("slots", slots).Number("tokens", 3);
        using var plain = Run(new LatentCacheKernel(Rank, Rope, Epsilon, DType.BF16)).Set("cache", new float[5 * Width]).Launch(3);
        using var run = Run(new LatentCacheKernel(Rank, Rope, Epsilon, DType.BF16) { Fp8 = rounding }).Output("cache", 5 * new Fp8CacheRow(Rank, Rope).Bytes);
        var expected = run.Codes("cache");
        var (bytes, _) = Fp8CacheRows.Of(plain.Floats("cache"), rounding == ScaleRounding.PowerOfTwo);
        var length = new Fp8CacheRow(Rank, Rope).Bytes;
        Assert.Equal(656, length);
        foreach (var slot in slots) bytes.AsSpan(slot * length, length).CopyTo(expected.AsSpan(slot * length));
        Assert.Equal(expected, run.Launch(3).Codes("cache"));
    }
}
