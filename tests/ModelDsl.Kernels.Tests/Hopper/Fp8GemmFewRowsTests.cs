using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Kernels.Tests.Gemm;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Kernels.Tests.Hopper;

public class Fp8GemmFewRowsTests
{
    /// <summary>Rows, outputs, inputs: whole tiles; every edge ragged; one row; fewer inputs than a step, or than blocks have steps; more steps than lanes; more rows than a tile.</summary>
    public static TheoryData<int, int, int> Shapes { get; } = new()
    {
        { 64, 128, 256 }, { 50, 200, 144 }, { 1, 64, 128 }, { 13, 136, 16 }, { 7, 72, 1296 }, { 16, 264, 2064 }, { 3, 72, 4240 }, { 150, 392, 528 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Sixteen_rows_of_64_outputs(int rows, int n, int k) => Check(rows, n, k, DType.BF16, new FewRowsTile(16, 64, 4));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Rows_in_FP32_and_two_waves(int rows, int n, int k) => Check(rows, n, k, DType.F32, new FewRowsTile(64, 128, 2));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Many_rows_and_eight_blocks_together(int rows, int n, int k) => Check(rows, n, k, DType.BF16, new FewRowsTile(128, 64, 8));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Tiles_of_a_block_each(int rows, int n, int k) => Check(rows, n, k, DType.F32, new FewRowsTile(32, 64, 1));

    /// <summary>An odd number of eights; a row for each block; blocks that have no whole number of rows.</summary>
    [Theory]
    [InlineData(24, 24, 64, 2)]
    [InlineData(9, 8, 128, 8)]
    [InlineData(24, 24, 128, 8)]
    [InlineData(21, 40, 64, 3)]
    public void Other_tiles(int rows, int tileRows, int outputs, int split)
    {
        Check(rows, 136, 400, DType.BF16, new FewRowsTile(tileRows, outputs, split));
        Check(rows, 136, 1040, DType.F32, new FewRowsTile(tileRows, outputs, split));
    }

    /// <summary>A row's sums depend on where the tile cuts them, and not on other rows: alone it gets the same bits.</summary>
    [Fact]
    public void Runs_give_the_same_bits_whatever_other_rows_there_are()
    {
        var (codes, scales, _) = GemmReference.Weights(3, 264, 1552);
        var (left, _) = GemmReference.Activations(4, 30, 1552);
        var tile = new FewRowsTile(32, 64, 4);
        var first = Run(30, 264, 1552, DType.F32, tile, left, codes, scales);
        Assert.Equal(first, Run(30, 264, 1552, DType.F32, tile, left, codes, scales));
        var alone = new QuantizedRows(left.Codes[(29 * 1552)..], QuantizedRows.ByColumn(QuantizedRows.ByRow(left.Scales, 30)[(29 * 13)..], rows: 1));
        Assert.Equal(first[(29 * 264)..], Run(1, 264, 1552, DType.F32, tile, alone, codes, scales));
    }

    /// <summary>Blocks that read each other's sums, every barrier used again.</summary>
    [Theory]
    [InlineData(DType.BF16, 64, 8)]
    [InlineData(DType.F32, 128, 2)]
    [InlineData(DType.F32, 64, 1)]
    public void Checks_find_nothing(DType output, int outputs, int split)
    {
        const int Rows = 11, N = 136, K = 2576;
        var (codes, scales, _) = GemmReference.Weights(3, N, K);
        var (left, _) = GemmReference.Activations(4, Rows, K);
        using var run = Prepare(new Fp8GemmFewRows(N, K, output, new FewRowsTile(16, outputs, split)), Rows, left, codes, scales, VirtualGpuChecks.All);
        run.Launch(Rows);
        Assert.True(run.Findings.Count == 0, string.Join("\n", run.Findings));
    }

    private static void Check(int rows, int n, int k, DType output, FewRowsTile tile)
    {
        var (codes, scales, weight) = GemmReference.Weights(3, n, k);
        var (left, activation) = GemmReference.Activations(4, rows, k);
        var actual = Run(rows, n, k, output, tile, left, codes, scales);
        Close.ToFp8Products(GemmReference.Multiply(rows, n, k, activation, weight), actual, output, GemmReference.Slack(k, product: 2));
    }

    private static float[] Run(int rows, int n, int k, DType output, FewRowsTile tile, QuantizedRows left, byte[] codes, float[] scales)
    {
        using var run = Prepare(new Fp8GemmFewRows(n, k, output, tile), rows, left, codes, scales, VirtualGpuChecks.None);
        return run.Launch(rows).Floats("c");
    }

    private static KernelRun Prepare(Fp8GemmFewRows kernel, int rows, QuantizedRows left, byte[] codes, float[] scales, VirtualGpuChecks checks) =>
        new KernelRun(kernel, checks).Set("a", left.Codes).Set("a_scales", left.Scales).Set("w", codes).Set("w_scales", scales).Output("c", rows * kernel.N).Number("rows", rows);
}
