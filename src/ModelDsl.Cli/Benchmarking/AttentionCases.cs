using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>Latent attention: decoding on a paged cache as FlashMLA is timed, and prefill with its gradients.</summary>
internal static class AttentionCases
{
    private const int Rank = MlaDecode.KvRank, Width = MlaDecode.Width, Page = MlaDecode.Page, Nope = 128, Rope = 64, V = 128;

    private static readonly (int Heads, int Queries, int Length)[] Decodes = [(128, 1, 4096), (128, 1, 8192), (128, 2, 4096), (16, 1, 4096)];

    private static readonly double Scale = Math.Pow(Nope + Rope, -0.5);

    /// <param name="rows">Tokens in place of a sequence's length.</param>
    public static IEnumerable<BenchCase> All(int? rows) =>
    [
        .. from shape in Decodes
           from part in Decode(rows is null ? 128 : 2, shape.Heads, shape.Queries, rows ?? shape.Length)
           select part,
        .. Prefill(128, rows ?? 4096),
        .. Prefill(16, rows ?? 8192),
    ];

    private static IEnumerable<BenchCase> Decode(int requests, int heads, int queries, int length)
    {
        var (rows, pages) = (heads * queries, (length + Page - 1) / Page);
        var parts = Math.Max(1, HopperGpu.Multiprocessors / ((rows + MlaDecode.TileRows - 1) / MlaDecode.TileRows));
        var shape = $"requests {requests} heads {heads} queries {queries} tokens {length}";
        // In an order that no prefetcher follows: pages of a cache are taken and given back.
        int[] table = [.. Enumerable.Range(0, requests * pages)], lengths = [.. Enumerable.Repeat(length, requests)];
        new Random(3).Shuffle(table);
        var starts = new BenchBuffer.Integers([.. Enumerable.Range(0, requests + 1).Select(request => request * (pages + 5))]);
        var numbers = new Dictionary<string, int> { ["max_pages"] = pages, ["requests"] = requests };
        long all = (long)requests * rows;
        BenchBuffer partial = new BenchBuffer.Normal(2L * parts * rows * Rank), partialLse = new BenchBuffer.Normal(2L * parts * rows), output = new BenchBuffer.Normal(all * Rank), lse = new BenchBuffer.Normal(all);
        var fp8 = new Fp8CacheRow(Rank, Rope);
        BenchCase Attention(bool onFp8) => new(onFp8 ? "mla decode, fp8 cache" : "mla decode", shape, new MlaDecode(heads, queries, Nope, Scale, parts) { Fp8Cache = onFp8 }, (double)requests * length * (onFp8 ? fp8.Bytes : 2 * Width) + 2.0 * all * (Width + Rank))
        {
            Sizes = BenchCase.Rows(requests), Numbers = numbers, Flops = 2.0 * all * length * (Width + Rank), Multiplies = DType.BF16,
            Buffers = new Dictionary<string, BenchBuffer>
            {
                ["cache"] = onFp8 ? new BenchBuffer.CacheRows(fp8, (long)table.Length * Page) : new BenchBuffer.Normal((long)table.Length * Page * Width), ["pages"] = new BenchBuffer.Integers(table), ["lengths"] = new BenchBuffer.Integers(lengths),
                ["starts"] = starts, ["out"] = output, ["lse"] = lse, ["partial"] = partial, ["partial_lse"] = partialLse,
            },
        };
        yield return Attention(onFp8: false);
        yield return Attention(onFp8: true);
        yield return new BenchCase("mla decode, combine", shape, new MlaDecodeCombine(rows, parts), 4.0 * 2 * parts * rows * Rank + 2.0 * Math.Min(requests, parts) * rows * Rank)
        {
            Sizes = BenchCase.Rows(requests), Numbers = numbers,
            Buffers = new Dictionary<string, BenchBuffer> { ["partial"] = partial, ["partial_lse"] = partialLse, ["starts"] = starts, ["out"] = output, ["lse"] = lse },
        };
    }

    private static IEnumerable<BenchCase> Prefill(int heads, int tokens)
    {
        var forward = new MlaPrefill(heads, Nope, Rope, V, Scale) { WriteLse = true };
        var shape = $"heads {heads} tokens {tokens} causal";
        var sizes = new Dictionary<DimSymbol, long> { [DimSymbol.Tokens] = tokens, [DimSymbol.Context] = tokens, [DimSymbol.Rows] = tokens };
        var numbers = new Dictionary<string, int> { ["tokens"] = tokens, ["context"] = tokens };
        double pairs = (double)heads * tokens * (tokens + 1) / 2, rows = (double)heads * tokens;
        BenchBuffer values = new BenchBuffer.Normal((long)tokens * heads * V), lse = new BenchBuffer.Normal((long)tokens * heads);
        yield return new BenchCase("mla prefill", shape, forward, 2 * rows * (Nope + Rope + Nope + V + V) + 2.0 * tokens * Rope)
        {
            Sizes = sizes, Numbers = numbers, Flops = 2 * pairs * (Nope + Rope + V), Multiplies = DType.BF16,
            Buffers = new Dictionary<string, BenchBuffer> { ["out"] = values, ["lse"] = lse },
        };
        foreach (var of in Enum.GetValues<MlaGradient>())
        {
            var depth = Nope + Rope;
            var flops = of == MlaGradient.Queries ? 2 * depth + V : 2 * depth + 2 * V;
            yield return new BenchCase($"mla prefill, d {(of == MlaGradient.Queries ? "q" : "kv")}", shape, new MlaPrefillBackward(forward, of), 2 * rows * (2 * depth + Nope + 2 * V))
            {
                Sizes = sizes, Numbers = numbers, Flops = 2 * pairs * flops, Multiplies = DType.BF16,
                Buffers = new Dictionary<string, BenchBuffer>
                {
                    ["lse"] = lse, ["delta"] = lse, ["d_q"] = new BenchBuffer.Normal((long)tokens * heads * depth),
                    ["d_kv"] = new BenchBuffer.Normal((long)tokens * heads * (Nope + V)), ["d_k_rope"] = new BenchBuffer.Normal((long)tokens * heads * Rope),
                },
            };
        }
    }
}
