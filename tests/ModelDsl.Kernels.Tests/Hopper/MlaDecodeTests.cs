using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>
/// Plan, attention and combination together, on FlashMLA's data (normal numbers / 10, clamped; NaN in the cache where no token is, nonsense in the table where no page
/// is) and by its criteria.
/// </summary>
public class MlaDecodeTests
{
    private const int NopeDim = 128, Rank = MlaDecode.KvRank, Width = MlaDecode.Width, Page = MlaDecode.Page, NoPage = 2147480000;

    /// <summary>Heads, tokens that each request decodes at once, parts, tokens of the requests; last with more parts than there are pages.</summary>
    public static TheoryData<int, int, int, int[]> Shapes => new()
    {
        { 1, 1, 1, [20] }, { 3, 4, 2, [140, 4, 2] }, { 9, 2, 3, [65, 0, 64] }, { 63, 1, 2, [1, 129] }, { 64, 1, 5, [300] }, { 126, 1, 2, [100] }, { 128, 2, 2, [20, 70] },
        { 16, 1, 4, [33, 512, 0, 7, 200, 64] }, { 16, 1, 1, [200, 64] },
        { 4, 1, 132, [100] }, { 70, 1, 66, [200, 3, 0, 65] },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Meets_the_peers_criteria(int heads, int queries, int parts, int[] lengths)
    {
        var problem = new Problem(heads, queries, lengths);
        var (output, lse) = problem.Run(parts);
        var (expected, expectedLse) = problem.Reference();
        PeerCriteria.Close(expected, output, absolute: 8e-4, relative: 2.01 / 128, cosine: 5e-6);
        PeerCriteria.Close(expectedLse, lse, absolute: 1e-6, relative: 8.01 / 65536, cosine: 1e-7);
    }

    /// <summary>Scales of any size, not only powers of two, so that latents are rounded once more on their way.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void Meets_them_on_an_FP8_cache_too(int heads, int queries, int parts, int[] lengths)
    {
        var problem = new Problem(heads, queries, lengths, fp8: true);
        var (output, lse) = problem.Run(parts);
        var (expected, expectedLse) = problem.Reference();
        PeerCriteria.Close(expected, output, absolute: 8e-4, relative: 2.01 / 128, cosine: 5e-6);
        PeerCriteria.Close(expectedLse, lse, absolute: 1e-6, relative: 8.01 / 65536, cosine: 1e-7);
    }

    [Fact]
    public void Runs_give_the_same_bits()
    {
        var problem = new Problem(20, 1, [260, 31, 90]);
        Assert.Equal(problem.Run(4), problem.Run(4), Comparer);
    }

    /// <summary>Two tiles of rows, requests in pieces, a last page with room, a request without tokens.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Checks_find_nothing(bool fp8)
    {
        var problem = new Problem(40, 2, [150, 0, 66], fp8);
        problem.Run(3, VirtualGpuChecks.All);
        Assert.True(problem.Findings.Count == 0, string.Join("\n", problem.Findings));
    }

    private static bool Comparer((float[] Output, float[] Lse) a, (float[] Output, float[] Lse) b) => a.Output.AsSpan().SequenceEqual(b.Output) && a.Lse.AsSpan().SequenceEqual(b.Lse);

    private sealed class Problem
    {
        private readonly int _heads, _queries, _maxPages;
        private readonly int[] _lengths, _pages;
        private readonly float[] _latent, _q, _cache;
        private readonly byte[]? _fp8;
        private readonly double _scale = Math.Pow(NopeDim + MlaDecode.RopeDim, -0.5);

        public Problem(int heads, int queries, int[] lengths, bool fp8 = false)
        {
            (_heads, _queries, _lengths) = (heads, queries, lengths);
            _maxPages = lengths.Max(length => (length + Page - 1) / Page) + 1;
            var rows = Rows * lengths.Length;
            _latent = Clamped(1, rows * Rank);
            _q = Clamped(2, rows * (NopeDim + MlaDecode.RopeDim));
            var order = Samples.Permutation(4, lengths.Length * _maxPages);
            _pages = [.. order.Select((page, i) => i % _maxPages * Page < lengths[i / _maxPages] ? page : NoPage)];
            _cache = Clamped(3, order.Length * Page * Width);
            var used = new HashSet<int>(Enumerable.Range(0, lengths.Length).SelectMany(r => Enumerable.Range(0, lengths[r]).Select(token => Slot(r, token))));
            for (var i = 0; i < _cache.Length; i++)
                if (!used.Contains(i / Width)) _cache[i] = float.NaN;
            if (fp8) (_fp8, _cache) = Fp8CacheRows.Of(_cache);
        }

        public List<Finding> Findings { get; } = [];

        private int Rows => _heads * _queries;

        public (float[] Output, float[] Lse) Run(int parts, VirtualGpuChecks checks = VirtualGpuChecks.None)
        {
            var requests = _lengths.Length;
            using var plan = new KernelRun(new MlaDecodePlan(), checks).Set("lengths", _lengths).Output("starts", requests + 1).Number("requests", requests).Launch(requests);
            using var decode = new KernelRun(new MlaDecode(_heads, _queries, NopeDim, _scale, parts) { Fp8Cache = _fp8 is not null }, checks);
            _ = _fp8 is null ? decode.Set("cache", _cache) : decode.Set("cache", _fp8);
            decode.Set("q_latent", _latent).Set("q", _q).Set("pages", _pages).Set("lengths", _lengths).Set("starts", plan.Ints("starts"))
                .Output("out", requests * Rows * Rank).Output("lse", requests * Rows).Output("partial", 2 * parts * Rows * Rank).Output("partial_lse", 2 * parts * Rows)
                .Number("max_pages", _maxPages).Number("requests", requests).Launch(requests);
            using var combine = new KernelRun(new MlaDecodeCombine(Rows, parts), checks)
                .Set("partial", decode.Floats("partial")).Set("partial_lse", decode.Floats("partial_lse")).Set("starts", plan.Ints("starts"))
                .Set("out", decode.Floats("out")).Set("lse", decode.Floats("lse")).Number("requests", requests).Launch(requests);
            Findings.AddRange([.. plan.Findings, .. decode.Findings, .. combine.Findings]);
            return (combine.Floats("out"), combine.Floats("lse"));
        }

        /// <summary>Softmax over the tokens that a query sees, in float64.</summary>
        public (double[] Output, double[] Lse) Reference()
        {
            var (output, lse) = (new double[_lengths.Length * Rows * Rank], new double[_lengths.Length * Rows]);
            for (var row = 0; row < lse.Length; row++)
            {
                var request = row / Rows;
                var seen = Math.Max(0, _lengths[request] == 0 ? 0 : _lengths[request] - (_queries - 1) + row % Rows / _heads);
                var scores = Enumerable.Range(0, seen).Select(token => Score(row, Slot(request, token))).ToArray();
                var sum = scores.Sum(Math.Exp);
                lse[row] = seen == 0 ? double.PositiveInfinity : Math.Log(sum);
                for (var token = 0; token < seen; token++)
                    for (var c = 0; c < Rank; c++)
                        output[row * Rank + c] += Math.Exp(scores[token]) / sum * _cache[Slot(request, token) * Width + c];
            }
            return (output, lse);
        }

        private double Score(int row, int slot)
        {
            double sum = 0;
            for (var c = 0; c < Rank; c++) sum += (double)_latent[row * Rank + c] * _cache[slot * Width + c];
            for (var c = 0; c < MlaDecode.RopeDim; c++) sum += (double)_q[row * (NopeDim + MlaDecode.RopeDim) + NopeDim + c] * _cache[slot * Width + Rank + c];
            return sum * _scale;
        }

        private int Slot(int request, int token) => _pages[request * _maxPages + token / Page] * Page + token % Page;

        private static float[] Clamped(int seed, int count) => [.. Samples.Normal(seed, count, DType.F32, 0.1).Select(x => Formats.RoundBF16(Math.Clamp(x, -1, 1)))];
    }
}
