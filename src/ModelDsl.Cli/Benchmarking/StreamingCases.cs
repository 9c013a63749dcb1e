using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Kernels.Cache;
using ModelDsl.Compiler.Kernels.Elementwise;
using ModelDsl.Compiler.Kernels.Loss;
using ModelDsl.Compiler.Kernels.Moe;
using ModelDsl.Compiler.Kernels.Norm;
using ModelDsl.Compiler.Kernels.Rope;
using ModelDsl.Compiler.Kernels.Transposed;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>What surrounds the products of DeepSeek-V3: kernels that memory bounds.</summary>
internal static class StreamingCases
{
    private const int Hidden = 7168, Dense = 18432, Expert = 2048, Heads = 128, Nope = 128, Rope = 64, Rank = 512, Experts = 256, Active = 8, Group = 128, Vocabulary = 129280, Chunk = Vocabulary / 8;

    private const double Epsilon = 1e-6;

    /// <param name="given">Tokens in place of 8192.</param>
    public static IEnumerable<BenchCase> All(int? given)
    {
        var tokens = given ?? 8192;
        var rows = tokens * Active;
        return
        [
            Case("rms norm, residual", new RmsNormKernel(Hidden, Hidden, Epsilon, DType.BF16, Residual: true, WriteOut: true, Quantize: null).For(tokens), tokens, Hidden * 8.0, ("x", Hidden), ("delta", Hidden), ("sum", Hidden), ("out", Hidden)),
            Case("rms norm, residual, quantise", new RmsNormKernel(Hidden, Hidden, Epsilon, DType.BF16, Residual: true, WriteOut: false, ScaleRounding.Exact).For(tokens), tokens, Hidden * 6.0 + Quantised(Hidden), ("x", Hidden), ("delta", Hidden), ("sum", Hidden), ("q", Hidden), ("scales", Hidden / Group)),
            Case("rms norm, quantise", new RmsNormKernel(Hidden, Hidden, Epsilon, DType.BF16, Residual: false, WriteOut: false, ScaleRounding.Exact).For(tokens), tokens, Hidden * 2.0 + Quantised(Hidden), ("x", Hidden), ("q", Hidden), ("scales", Hidden / Group)),
            Case("quantise", new QuantizeKernel(Hidden, DType.BF16, ScaleRounding.Exact), tokens, Hidden * 2.0 + Quantised(Hidden), ("x", Hidden), ("q", Hidden), ("scales", Hidden / Group)),
            Case("swiglu, quantise", new SwiGluKernel(Dense, Dense, 2 * Dense, DType.BF16, ScaleRounding.Exact), tokens, Dense * 4.0 + Quantised(Dense), ("x", 2 * Dense), ("q", Dense), ("scales", Dense / Group)),
            Case("swiglu, quantise", new SwiGluKernel(Expert, Expert, 2 * Expert, DType.BF16, ScaleRounding.Exact), rows, Expert * 4.0 + Quantised(Expert), ("x", 2 * Expert), ("q", Expert), ("scales", Expert / Group)),
            Case("swiglu", new SwiGluKernel(Expert, Expert, 2 * Expert, DType.BF16, Quantize: null), rows, Expert * 6.0, ("x", 2 * Expert), ("out", Expert)),
            Transposed("quantise, both ways", new TransposedQuantizeKernel(new PlainSource(DType.BF16), Hidden, ScaleRounding.Exact) { WriteRows = true }, tokens, Hidden * 2.0 + 2 * Quantised(Hidden), ("x", Hidden), ("q", Hidden), ("scales", Hidden / Group)),
            Transposed("quantise codes, transposed", new TransposedQuantizeKernel(new CodesSource(), Hidden, ScaleRounding.Exact), tokens, 2 * Quantised(Hidden), ("codes", Hidden), ("row_scales", Hidden / Group)),
            Transposed("norm, quantise, transposed", new TransposedQuantizeKernel(new NormalizedSource(Hidden, DType.BF16), Hidden, ScaleRounding.Exact), tokens, Hidden * 2.0 + Quantised(Hidden), ("x", Hidden), ("factors", 1)),
            Transposed("swiglu, quantise, both ways", new TransposedQuantizeKernel(new SwiGluSource(Expert, 2 * Expert, DType.BF16), Expert, ScaleRounding.Exact) { WriteRows = true }, rows, Expert * 4.0 + 2 * Quantised(Expert), ("x", 2 * Expert), ("q", Expert), ("scales", Expert / Group)),
            Weights(given ?? Hidden, Expert, experts: 8),
            Weights(given ?? Dense, Hidden, experts: 1),
            Case("add", new AddKernel(Hidden, DType.BF16), tokens, Hidden * 6.0, ("a", Hidden), ("b", Hidden), ("out", Hidden)),
            Positioned("rope", new RopeQueryKernel(Heads, Nope, Rope, DType.BF16), tokens, Heads * Rope * 4.0, ("q", Heads * (Nope + Rope))),
            Positioned("norm, rope, cache", new LatentCacheKernel(Rank, Rope, Epsilon, DType.BF16), tokens, (Rank + Rope) * 4.0, ("kv", Rank + Rope), ("cache", Rank + Rope)),
            Positioned("norm, rope, fp8 cache", new LatentCacheKernel(Rank, Rope, Epsilon, DType.BF16) { Fp8 = ScaleRounding.PowerOfTwo }, tokens, (Rank + Rope) * 2.0 + new Fp8CacheRow(Rank, Rope).Bytes, ("kv", Rank + Rope), ("cache", new Fp8CacheRow(Rank, Rope).Bytes)),
            Case("router", new GateKernel(Experts, Active, ScoreFunction.Sigmoid, 2.5, Normalize: true, Bias: true, new GroupSpec(4, 8, GroupScore.TopTwoSum, Origin.None), WriteScores: false), tokens, Experts * 4.0 + Active * 8.0, ("logits", Experts), ("bias", Experts), ("indices", Active), ("weights", Active)),
            Loss("cross-entropy, chunk", new CrossEntropyChunkKernel(Chunk, Vocabulary, DType.BF16), tokens, Chunk * 2.0, ("logits", Chunk), ("state", CrossEntropyChunkKernel.StateWidth)),
            Loss("cross-entropy, gradient", new CrossEntropyGradKernel(Chunk, Vocabulary, DType.BF16, DType.BF16, Factor: 1), tokens, Chunk * 4.0, ("logits", Chunk), ("lse", 1), ("gradient", 1), ("d_logits", Chunk)),
            Moved("permute", new PermuteKernel(Hidden, DType.E4M3, Hidden / Group), rows, 2 * Quantised(Hidden), "source", i => i / Active, ("x", Hidden), ("scales", Hidden / Group), ("out", Hidden), ("out_scales", Hidden / Group)),
            Moved("combine", new CombineKernel(Hidden, Active, DType.BF16, Shared: true), tokens, Hidden * 2.0 * (Active + 2) + Active * 8.0, "row_of", i => i, ("y", Hidden * Active), ("weights", Active), ("shared", Hidden), ("out", Hidden)),
        ];
    }

    /// <summary>E4M3 and a scale for each group.</summary>
    private static double Quantised(int width) => width + 4.0 * width / Group;

    /// <param name="bytes">For each row.</param>
    /// <param name="buffers">With elements for each row; weights of a norm, which all rows share, are added.</param>
    private static BenchCase Case(string operation, Kernel kernel, int rows, double bytes, params ReadOnlySpan<(string Name, int PerRow)> buffers)
    {
        var given = new Dictionary<string, BenchBuffer> { ["weight"] = new BenchBuffer.Normal(Hidden) };
        // Scales have room between their columns.
        foreach (var (name, perRow) in buffers) given[name] = new BenchBuffer.Normal(ScaleColumns.Stride((Dim)rows).Constant!.Value * perRow);
        return new BenchCase(operation, $"rows {rows} x {buffers[0].PerRow}", kernel, bytes * rows) { Sizes = BenchCase.Rows(rows), Buffers = given };
    }

    /// <summary>The first chunk of a vocabulary; labels in all of it.</summary>
    private static BenchCase Loss(string operation, Kernel kernel, int rows, double bytes, params ReadOnlySpan<(string Name, int PerRow)> buffers)
    {
        var made = Case(operation, kernel, rows, bytes, buffers);
        var random = new Random(5);
        BenchBuffer labels = new BenchBuffer.Integers([.. Enumerable.Range(0, rows).Select(_ => random.Next(Vocabulary))]);
        return made with { Numbers = new Dictionary<string, int> { ["first"] = 0 }, Buffers = new Dictionary<string, BenchBuffer>(made.Buffers) { ["labels"] = labels } };
    }

    private static BenchCase Transposed(string operation, TransposedQuantizeKernel kernel, int rows, double bytes, params ReadOnlySpan<(string Name, int PerRow)> buffers)
    {
        var made = Case(operation, kernel, rows, bytes, buffers);
        var tiles = (rows + Group - 1) / Group;
        BenchBuffer codes = new BenchBuffer.Normal((long)tiles * Group * kernel.Width), scales = new BenchBuffer.Normal((long)tiles * ScaleColumns.Stride(kernel.Width));
        return made with { Buffers = new Dictionary<string, BenchBuffer>(made.Buffers) { ["qt"] = codes, ["t_scales"] = scales } };
    }

    /// <summary>Master weights to FP8, both ways round.</summary>
    private static BenchCase Weights(int rows, int k, int experts)
    {
        var n = Math.Max(16, rows / 16 * 16);
        var elements = (long)n * k * experts;
        BenchBuffer codes = new BenchBuffer.Normal(elements), scales = new BenchBuffer.Normal((long)experts * ((n + Group - 1) / Group) * (k / Group));
        return new BenchCase("quantise weights, both ways", $"experts {experts} of {n} x {k}", new WeightQuantizeKernel(n, k, DType.F32, ScaleRounding.Exact, Transposes: true) { Experts = experts }, elements * 6.0)
        {
            Sizes = BenchCase.Rows(n),
            Buffers = new Dictionary<string, BenchBuffer> { ["w"] = new BenchBuffer.Normal(elements), ["q"] = codes, ["scales"] = scales, ["qt"] = codes, ["t_scales"] = scales },
        };
    }

    private static BenchCase Positioned(string operation, Kernel kernel, int rows, double bytes, params ReadOnlySpan<(string Name, int PerRow)> buffers)
    {
        var made = Case(operation, kernel, rows, bytes, buffers);
        int[] order = [.. Enumerable.Range(0, rows)];
        BenchBuffer table = new BenchBuffer.Normal((long)rows * Rope / 2), places = new BenchBuffer.Integers(order);
        return made with { Buffers = new Dictionary<string, BenchBuffer>(made.Buffers) { ["cos"] = table, ["sin"] = table, ["positions"] = places, ["slots"] = places } };
    }

    /// <summary>Rows in an order that expert choice would make, the same from run to run.</summary>
    private static BenchCase Moved(string operation, Kernel kernel, int rows, double bytes, string table, Func<int, int> place, params ReadOnlySpan<(string Name, int PerRow)> buffers)
    {
        var made = Case(operation, kernel, rows, bytes, buffers);
        int[] order = [.. Enumerable.Range(0, table == "row_of" ? rows * Active : rows)];
        new Random(4).Shuffle(order);
        return made with
        {
            Buffers = new Dictionary<string, BenchBuffer>(made.Buffers) { [table] = new BenchBuffer.Integers([.. order.Select(place)]) },
            Numbers = new Dictionary<string, int> { ["tokens"] = table == "row_of" ? rows : rows / Active },
        };
    }
}
