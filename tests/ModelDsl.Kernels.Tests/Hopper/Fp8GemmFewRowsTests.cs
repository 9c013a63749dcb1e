using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Kernels.Tests.Gemm;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Kernels.Tests.Hopper;

public class Fp8GemmFewRowsTests
{
    /// <summary>Rows, outputs, inputs, blocks: whole tiles; every edge ragged; one row; fewer inputs than a step; a tile for many blocks; more rows than a tile.</summary>
    public static TheoryData<int, int, int, int> Shapes { get; } = new()
    {
        { 64, 128, 256, 2 }, { 50, 200, 144, 3 }, { 1, 64, 128, 1 }, { 13, 136, 16, 5 }, { 7, 72, 1296, 7 }, { 16, 264, 2064, 4 }, { 150, 392, 528, 5 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Sixteen_rows_of_64_outputs(int rows, int n, int k, int blocks) => Check(rows, n, k, DType.BF16, new FewRowsTile(16, 64, 1), blocks);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Rows_in_FP32(int rows, int n, int k, int blocks) => Check(rows, n, k, DType.F32, new FewRowsTile(64, 128, 1), blocks);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Many_rows_and_two_steps_together(int rows, int n, int k, int blocks) => Check(rows, n, k, DType.BF16, new FewRowsTile(128, 128, 2), blocks);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Tiles_that_are_not_cut(int rows, int n, int k, int blocks) => Check(rows, n, k, DType.F32, new FewRowsTile(32, 64, 100), blocks);

    /// <summary>An odd number of eights.</summary>
    [Fact]
    public void Twenty_four_rows()
    {
        Check(24, 136, 400, DType.BF16, new FewRowsTile(24, 64, 1), 5);
        Check(9, 136, 400, DType.F32, new FewRowsTile(8, 128, 1), 3);
    }

    /// <summary>A row's sums depend on where the grid cuts them, and not on other rows: alone it gets the same bits.</summary>
    [Fact]
    public void Runs_give_the_same_bits_whatever_other_rows_there_are()
    {
        var (codes, scales, _) = GemmReference.Weights(3, 264, 1552);
        var (left, _) = GemmReference.Activations(4, 30, 1552);
        var tile = new FewRowsTile(32, 64, 2);
        var first = Run(30, 264, 1552, DType.F32, tile, left, codes, scales, 4);
        Assert.Equal(first, Run(30, 264, 1552, DType.F32, tile, left, codes, scales, 4));
        var alone = new QuantizedRows(left.Codes[(29 * 1552)..], QuantizedRows.ByColumn(QuantizedRows.ByRow(left.Scales, 30)[(29 * 13)..], rows: 1));
        Assert.Equal(first[(29 * 264)..], Run(1, 264, 1552, DType.F32, tile, alone, codes, scales, 4));
    }

    /// <summary>Blocks that wait for each other, every barrier used again, scratch memory used by a second launch.</summary>
    [Theory]
    [InlineData(DType.BF16, 64)]
    [InlineData(DType.F32, 128)]
    public void Checks_find_nothing_and_flags_are_left_as_they_were(DType output, int outputs)
    {
        const int Rows = 11, N = 136, K = 2064, Blocks = 5;
        var (codes, scales, _) = GemmReference.Weights(3, N, K);
        var (left, _) = GemmReference.Activations(4, Rows, K);
        var kernel = new Fp8GemmFewRows(N, K, output, new FewRowsTile(16, outputs, 1), Blocks);
        using var run = Prepare(kernel, Rows, left, codes, scales, VirtualGpuChecks.All);
        run.Launch(Rows);
        var first = run.Floats("c");
        run.Launch(Rows);
        Assert.True(run.Findings.Count == 0, string.Join("\n", run.Findings));
        Assert.Equal(first, run.Floats("c"));
        Assert.All(run.Ints("scratch")[..(Blocks * outputs / 64)], flag => Assert.Equal(0, flag));
    }

    private static void Check(int rows, int n, int k, DType output, FewRowsTile tile, int blocks)
    {
        var (codes, scales, weight) = GemmReference.Weights(3, n, k);
        var (left, activation) = GemmReference.Activations(4, rows, k);
        var actual = Run(rows, n, k, output, tile, left, codes, scales, blocks);
        Close.ToFp8Products(GemmReference.Multiply(rows, n, k, activation, weight), actual, output, GemmReference.Slack(k, product: 2));
    }

    private static float[] Run(int rows, int n, int k, DType output, FewRowsTile tile, QuantizedRows left, byte[] codes, float[] scales, int blocks)
    {
        using var run = Prepare(new Fp8GemmFewRows(n, k, output, tile, blocks), rows, left, codes, scales, VirtualGpuChecks.None);
        return run.Launch(rows).Floats("c");
    }

    private static KernelRun Prepare(Fp8GemmFewRows kernel, int rows, QuantizedRows left, byte[] codes, float[] scales, VirtualGpuChecks checks)
    {
        var run = new KernelRun(kernel, checks).Set("a", left.Codes).Set("a_scales", left.Scales).Set("w", codes).Set("w_scales", scales);
        return run.Set("scratch", new int[kernel.ScratchBytes / sizeof(int)]).Output("c", rows * kernel.N).Number("rows", rows);
    }
}
