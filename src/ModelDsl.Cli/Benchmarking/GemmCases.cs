using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Kernels.Hopper;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>Products on the shapes of DeepSeek-V3 that DeepGEMM is tested and published with.</summary>
internal static class GemmCases
{
    private const int Group = 128;

    private static readonly (int N, int K)[] Layers = [(2112, 7168), (24576, 1536), (32768, 512), (7168, 16384), (4096, 7168), (7168, 2048)], Experts = [(4096, 7168), (7168, 2048)];

    private static readonly (int Groups, int N, int K, int Tokens)[] ByDepth = [(4, 7168, 4096, 4096), (4, 2048, 7168, 4096), (4, 7168, 4096, 8192), (4, 2048, 7168, 8192), (8, 7168, 4096, 4096)];

    private static readonly (int Groups, int Rows)[] Contiguously = [(4, 8192), (8, 4096)], Maskedly = [(32, 192), (32, 20), (6, 1024)];

    /// <param name="rows">M in place of 64, 128 and 4096.</param>
    /// <param name="everyTile">Not only the kernel that the cost model chooses.</param>
    public static IEnumerable<BenchCase> All(int? rows, bool everyTile) =>
    [
        .. from m in rows is { } given ? [given] : new[] { 64, 128, 4096 }
           from layer in Layers
           from candidate in Fp8GemmChoice.Rank(m, layer.N, layer.K, DType.BF16, HopperGpu.Assumed).Take(everyTile ? int.MaxValue : 1)
           select Fp8(m, layer.N, layer.K, candidate.Kernel),
        .. from shape in Contiguously
           from layer in Experts
           select Contiguous(shape.Groups, rows ?? shape.Rows, layer.N, layer.K),
        .. from shape in Maskedly
           from layer in Experts
           select Masked(shape.Groups, rows ?? shape.Rows, layer.N, layer.K),
        .. from layer in Layers select WeightGradient(null, rows ?? 4096, layer.N, layer.K),
        .. from shape in ByDepth select WeightGradient(shape.Groups, rows ?? shape.Tokens, shape.N, shape.K),
        .. from form in Enum.GetValues<GemmForm>() select Bf16(form, rows ?? 4096, 4096, 7168),
    ];

    private static BenchCase Fp8(int m, int n, int k, Kernel kernel) => new("fp8 gemm", $"M {m} N {n} K {k}", kernel, Bytes(m, n, k, 1))
    {
        Sizes = BenchCase.Rows(m), Flops = 2.0 * m * n * k, Multiplies = DType.E4M3,
        Buffers = new Dictionary<string, BenchBuffer>(Scales(m, n, k, 1)) { ["c"] = new BenchBuffer.Normal((long)m * n) },
    };

    private static BenchCase Contiguous(int groups, int rows, int n, int k)
    {
        var m = groups * rows;
        return new BenchCase("fp8 gemm, contiguous", $"groups {groups} M {rows} N {n} K {k}", new Fp8Gemm(n, k, DType.BF16, Fp8GemmTile.Middle, HopperGpu.Multiprocessors) { Groups = new ContiguousGroups(groups) }, Bytes(m, n, k, groups))
        {
            Sizes = BenchCase.Rows(m), Flops = 2.0 * m * n * k, Multiplies = DType.E4M3,
            Buffers = new Dictionary<string, BenchBuffer>(Scales(m, n, k, groups)) { ["groups"] = new BenchBuffer.Integers([.. Enumerable.Range(0, m).Select(row => row / rows)]) },
        };
    }

    private static BenchCase Masked(int groups, int rows, int n, int k)
    {
        const int Room = 4096;
        var m = groups * rows;
        return new BenchCase("fp8 gemm, masked", $"groups {groups} M {rows} N {n} K {k}", new Fp8Gemm(n, k, DType.BF16, rows <= 64 ? Fp8GemmTile.Few : Fp8GemmTile.Middle, HopperGpu.Multiprocessors) { Groups = new MaskedGroups(groups, Room) }, Bytes(m, n, k, groups))
        {
            Sizes = BenchCase.Rows(Room), Flops = 2.0 * m * n * k, Multiplies = DType.E4M3,
            Buffers = new Dictionary<string, BenchBuffer>(Scales(groups * Room, n, k, groups)) { ["counts"] = new BenchBuffer.Integers([.. Enumerable.Repeat(rows, groups)]) },
        };
    }

    private static BenchCase WeightGradient(int? groups, int tokens, int n, int k)
    {
        var (count, padded) = (groups ?? 1, Scales(tokens) * Group);
        var kernel = new Fp8WeightGradient(n, k, HopperGpu.Multiprocessors) { Groups = groups };
        return new BenchCase("fp8 gemm, weight gradient", groups is null ? $"M {tokens} N {n} K {k}" : $"groups {groups} M {tokens} N {n} K {k}", kernel, count * ((double)(n + k) * (tokens + 4.0 * Scales(tokens)) + 8.0 * n * k))
        {
            Sizes = BenchCase.Rows(count * padded), Flops = 2.0 * count * tokens * n * k, Multiplies = DType.E4M3,
            Buffers = new Dictionary<string, BenchBuffer>
            {
                ["a_scales"] = new BenchBuffer.Scales((long)count * Scales(tokens) * ScaleColumns.Stride(n)), ["b_scales"] = new BenchBuffer.Scales((long)count * Scales(tokens) * ScaleColumns.Stride(k)),
                ["offsets"] = new BenchBuffer.Integers([.. Enumerable.Range(0, count + 1).Select(group => group * tokens)]),
            },
        };
    }

    private static BenchCase Bf16(GemmForm form, int m, int n, int k)
    {
        var output = form == GemmForm.WeightGradient ? DType.F32 : DType.BF16;
        var kernel = new Bf16Gemm(form, n, k, output, output == DType.BF16 ? Bf16GemmTile.Many : Bf16GemmTile.Middle, HopperGpu.Multiprocessors) { Accumulates = form == GemmForm.WeightGradient };
        return new BenchCase($"bf16 gemm, {Name(form)}", $"M {m} N {n} K {k}", kernel, 2.0 * ((double)m * n + (double)n * k + (double)m * k) + (form == GemmForm.WeightGradient ? 6.0 * n * k : 0))
        {
            Sizes = BenchCase.Rows(m), Flops = 2.0 * m * n * k, Multiplies = DType.BF16,
        };
    }

    private static string Name(GemmForm form) => form switch { GemmForm.InputGradient => "input gradient", GemmForm.WeightGradient => "weight gradient", _ => "forward" };

    private static Dictionary<string, BenchBuffer> Scales(int m, int n, int k, int groups) => new()
    {
        ["a_scales"] = new BenchBuffer.Scales(ScaleColumns.Stride((Dim)m).Constant!.Value * Scales(k)),
        ["w_scales"] = new BenchBuffer.Scales((long)groups * Scales(n) * Scales(k)),
    };

    private static int Scales(int values) => (values + Group - 1) / Group;

    private static double Bytes(double m, double n, double k, int groups) => m * k + groups * n * k + 2 * m * n + 4 * (m * k + groups * n * k / Group) / Group;
}
