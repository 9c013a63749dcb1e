using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Gemm;

public class Fp8GemmTests
{
    /// <summary>Rows, outputs, inputs: whole blocks of scales; ragged ones; depths that are multiples of 16, 8, 4, 2 and 1.</summary>
    public static TheoryData<int, int, int> Shapes { get; } = new()
    {
        { 64, 128, 256 }, { 70, 200, 144 }, { 1, 64, 128 }, { 3, 33, 168 }, { 9, 140, 132 }, { 5, 17, 70 }, { 4, 20, 45 }, { 1, 1, 1 },
        { 2, 40, 1100 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Tiles(int rows, int n, int k) => Check(rows, n, k, DType.BF16, GemmShape.Tile);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Few_rows(int rows, int n, int k) => Check(rows, n, k, DType.F32, GemmShape.Skinny);

    [Fact]
    public void Wide_layers_use_big_tiles() => Check(130, 1090, 400, DType.F32, GemmShape.Tile);

    [Fact]
    public void Long_sums_are_shared_by_warps() => Check(9, 24, 8200, DType.F32, GemmShape.Skinny);

    private static void Check(int rows, int n, int k, DType output, GemmShape shape)
    {
        var (codes, scales, weight) = GemmReference.Weights(3, n, k);
        var (left, activation) = GemmReference.Activations(4, rows, k);
        using var run = new KernelRun(new Fp8GemmKernel(n, k, output, shape));
        run.Set("a", left.Codes).Set("a_scales", left.Scales).Set("w", codes).Set("w_scales", scales);
        run.Output("c", rows * n).Number("rows", rows).Launch(rows);
        Close.To(GemmReference.Multiply(rows, n, k, activation, weight), run.Floats("c"), output, GemmReference.Slack(k, product: 2));
    }
}
