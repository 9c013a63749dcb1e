using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>The model against times that others published, and what follows from it.</summary>
public class HopperCostsTests
{
    /// <summary>
    /// N, K, and for 64, 128 and 4096 rows DeepGEMM's tile (rows, outputs) and microseconds, operands not in L2: the first two on GH200, the last on H800 with tiles
    /// of pairs of blocks sharing one operand.
    /// </summary>
    public static TheoryData<int, int, int[], int[], int[]> Published => new()
    {
        { 24576, 1536, [64, 96, 19], [128, 192, 20], [256, 128, 245] },
        { 32768, 512, [64, 128, 11], [128, 128, 13], [256, 128, 146] },
        { 7168, 16384, [64, 64, 46], [64, 112, 47], [256, 128, 648] },
        { 4096, 7168, [64, 32, 17], [64, 64, 18], [256, 128, 169] },
        { 7168, 2048, [64, 64, 9], [64, 112, 10], [256, 128, 99] },
    };

    [Theory]
    [MemberData(nameof(Published))]
    public void Published_times_come_out(int n, int k, int[] at64, int[] at128, int[] at4096)
    {
        foreach (var (rows, tile, gpu, shared) in new[] { (64, at64, HopperGpu.GH200, 1), (128, at128, HopperGpu.GH200, 0.75), (4096, at4096, HopperGpu.H800, 0.75) })
        {
            var cost = HopperCosts.Tiles(rows, n, k, DType.BF16, tile[0], tile[1], gpu, shared);
            Assert.InRange(cost.Microseconds / tile[2], 0.89, 1.11);
        }
    }

    /// <summary>17 tiles of 128 outputs for 132 multiprocessors: the one shape that the model thinks slower than it was.</summary>
    [Fact]
    public void Narrow_products_with_few_rows_are_thought_a_quarter_too_slow() =>
        Assert.InRange(HopperCosts.Tiles(64, 2112, 7168, DType.BF16, 64, 16, HopperGpu.GH200).Microseconds / 12, 1.2, 1.3);

    /// <summary>With 64 rows and 128 rows the same weights are read, and both take less than DeepGEMM's tiles.</summary>
    [Theory]
    [MemberData(nameof(Published))]
    public void Few_rows_get_the_kernel_that_deals_out_depth(int n, int k, int[] at64, int[] at128, int[] at4096)
    {
        foreach (var (rows, tile) in new[] { (64, at64), (128, at128) })
        {
            var best = Fp8GemmChoice.Rank(rows, n, k, DType.BF16, HopperGpu.GH200)[0];
            Assert.IsType<Fp8GemmFewRows>(best.Kernel);
            Assert.True(best.Cost.Microseconds <= HopperCosts.Tiles(rows, n, k, DType.BF16, tile[0], tile[1], HopperGpu.GH200).Microseconds * 1.001, $"{best.Kernel.Name}: {best.Cost}");
        }
        Assert.Equal(Fp8GemmTile.Many, Assert.IsType<Fp8Gemm>(Fp8GemmChoice.Best(at4096[2] > 0 ? 4096 : 0, n, k, DType.BF16, HopperGpu.H200)).Tile);
    }

    [Fact]
    public void The_ranking_is_complete_and_in_order()
    {
        var ranks = Fp8GemmChoice.Rank(64, 4096, 7168, DType.BF16, HopperGpu.H200);
        Assert.Equal(2 * 4 + 3, ranks.Length);
        Assert.Equal(ranks.Select(rank => rank.Cost.Microseconds).Order(), ranks.Select(rank => rank.Cost.Microseconds));
        Assert.Equal(3, Fp8GemmChoice.Rank(129, 4096, 7168, DType.BF16, HopperGpu.H200).Length);
    }
}
