using System.Text;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Kernels.Tests.Gemm;

/// <summary>
/// Warp instructions are what the virtual GPU's time is made of: what a product may take of them, beside what its arithmetic needs.
/// </summary>
public class GemmCostTests
{
    private const int N = 1024;
    private const int K = 1024;

    /// <summary>An <c>mma</c> takes 16 x 16 BF16 weights, a pair of them needs three loads: five instructions for 512 weights.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void A_few_BF16_rows_cost_about_twice_their_loads_and_mma(int rows) =>
        Assert.InRange(Instructions(Dense(DType.BF16, GemmShape.Skinny), rows, DType.BF16), 1, 2.1 * 5 * N * K / 512);

    /// <summary>A warp takes 16 x 32 weights with four loads, one of A, and sixteen <c>fma</c>.</summary>
    [Fact]
    public void One_FP32_row_costs_less_than_twice_its_loads_and_fma() =>
        Assert.InRange(Instructions(Dense(DType.F32, GemmShape.Skinny), 1, DType.F32), 1, 1.7 * 21 * N * K / 512);

    /// <summary>An <c>mma</c> is 2048 products; its operands come from shared memory, and everything has to get there.</summary>
    [Fact]
    public void BF16_tiles_take_little_beside_mma_and_fragments() =>
        Assert.InRange(Instructions(Dense(DType.BF16, GemmShape.Tile), 128, DType.BF16), 1, 2.4 * 128 * N * K / 2048);

    /// <summary>A warp's <c>fma</c> is 32 products.</summary>
    [Fact]
    public void FP32_tiles_are_mostly_fma() =>
        Assert.InRange(Instructions(Dense(DType.F32, GemmShape.Tile), 128, DType.F32), 1, 1.3 * 128 * N * K / 32);

    private static GemmKernel Dense(DType type, GemmShape shape) => new(N, K, type, type, type, shape);

    private static double Instructions(Kernel kernel, int rows, DType type)
    {
        using var device = new VirtualDevice();
        using var stream = device.CreateStream();
        using var module = device.LoadModule(Encoding.UTF8.GetBytes(kernel.Emit(PtxTarget.Sm90a).ToText()));
        DeviceMemory Matrix(int height, int width) => device.Allocate((long)height * width * type.Bytes());
        var geometry = kernel.Geometry;
        int Size(Dim dim) => (int)dim.Evaluate(_ => rows);
        stream.Launch(
            module.GetKernel(kernel.Name), new Dim3(Size(geometry.GridX), Size(geometry.GridY)), geometry.Threads, geometry.SharedBytes,
            Matrix(rows, K), Matrix(N, K), Matrix(rows, N), rows);
        return device.Profile.Kernels.Single().WarpInstructions;
    }
}
