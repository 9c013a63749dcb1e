using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Gemm;

public class GemmTests
{
    /// <summary>
    /// Rows, outputs, inputs: full tiles; tails everywhere; depths whose rows start at multiples of 8, 4 and 2 bytes only; one row.
    /// </summary>
    public static TheoryData<int, int, int> Shapes { get; } = new()
    {
        { 64, 64, 128 }, { 65, 72, 200 }, { 1, 64, 64 }, { 3, 33, 84 }, { 9, 130, 70 }, { 5, 17, 45 }, { 1, 1, 1 }, { 16, 96, 520 },
        { 2, 40, 1100 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void BF16_tiles(int rows, int n, int k) => Check(rows, n, k, DType.BF16, DType.BF16, DType.BF16, GemmShape.Tile);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void BF16_few_rows(int rows, int n, int k) => Check(rows, n, k, DType.BF16, DType.BF16, DType.F32, GemmShape.Skinny);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void F32_tiles(int rows, int n, int k) => Check(rows, n, k, DType.F32, DType.F32, DType.F32, GemmShape.Tile);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void F32_few_rows(int rows, int n, int k) => Check(rows, n, k, DType.F32, DType.F32, DType.F32, GemmShape.Skinny);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Router_tiles(int rows, int n, int k) => Check(rows, n, k, DType.BF16, DType.F32, DType.F32, GemmShape.Tile);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Router_few_rows(int rows, int n, int k) => Check(rows, n, k, DType.BF16, DType.F32, DType.F32, GemmShape.Skinny);

    [Fact]
    public void Wide_layers_use_big_tiles() => Check(130, 1090, 192, DType.BF16, DType.BF16, DType.BF16, GemmShape.Tile);

    [Fact]
    public void Long_sums_are_shared_by_warps_and_added_in_order()
    {
        Check(3, 24, 8200, DType.BF16, DType.BF16, DType.F32, GemmShape.Skinny);
        Check(1, 24, 4104, DType.F32, DType.F32, DType.F32, GemmShape.Skinny);
        Check(4, 24, 4104, DType.F32, DType.F32, DType.F32, GemmShape.Skinny);
    }

    private static void Check(int rows, int n, int k, DType a, DType w, DType output, GemmShape shape)
    {
        var (left, right) = (Samples.Normal(1, rows * k, a), Samples.Normal(2, n * k, w));
        using var run = new KernelRun(new GemmKernel(n, k, a, w, output, shape));
        run.Set("a", left).Set("w", right).Output("c", rows * n).Number("rows", rows).Launch(rows);
        Close.To(GemmReference.Multiply(left, right, rows, n, k), run.Floats("c"), output, GemmReference.Slack(k));
    }
}
