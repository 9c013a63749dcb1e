using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Elementwise;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Compiler.Kernels.Transposed;
using ModelDsl.Compiler.Specs;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Kernels.Tests.Transposed;

public class WeightQuantizeTests
{
    /// <summary>Whole blocks; ragged ends; vectors of one, two, four and eight; less than a block; several experts.</summary>
    [Theory]
    [InlineData(256, 128, 1, DType.BF16, ScaleRounding.Exact)]
    [InlineData(320, 200, 1, DType.F32, ScaleRounding.PowerOfTwo)]
    [InlineData(144, 131, 1, DType.BF16, ScaleRounding.Exact)]
    [InlineData(16, 1, 1, DType.F32, ScaleRounding.Exact)]
    [InlineData(48, 260, 3, DType.BF16, ScaleRounding.Exact)]
    [InlineData(160, 258, 2, DType.F32, ScaleRounding.PowerOfTwo)]
    public void Codes_and_scales_are_the_same_both_ways_round(int n, int k, int experts, DType io, ScaleRounding rounding)
    {
        var w = Sample(1, experts * n * k, io);
        var (rowBlocks, columnBlocks) = ((n + 127) / 128, (k + 127) / 128);
        using var run = Start(new WeightQuantizeKernel(n, k, io, rounding, Transposes: true) { Experts = experts }, w);
        run.Output("qt", w.Length).Output("t_scales", experts * rowBlocks * columnBlocks).Launch(0);
        for (var expert = 0; expert < experts; expert++)
        {
            var expected = QuantizedBlocks.Of(w[(expert * n * k)..((expert + 1) * n * k)], n, k, rounding == ScaleRounding.PowerOfTwo);
            var (first, firstScale) = (expert * n * k, expert * rowBlocks * columnBlocks);
            Assert.Equal(expected.Codes, run.Codes("q")[first..(first + n * k)]);
            Assert.Equal(expected.Scales, run.Floats("scales")[firstScale..(firstScale + rowBlocks * columnBlocks)]);
            Assert.Equal(Turned(expected.Codes, n, k), run.Codes("qt")[first..(first + n * k)]);
            Assert.Equal(Turned(expected.Scales, rowBlocks, columnBlocks), run.Floats("t_scales")[firstScale..(firstScale + rowBlocks * columnBlocks)]);
        }
    }

    [Theory]
    [InlineData(45, 37, DType.BF16)]
    [InlineData(129, 130, DType.F32)]
    public void Forward_only_takes_any_shape(int n, int k, DType io)
    {
        var w = Sample(2, n * k, io);
        using var run = Start(new WeightQuantizeKernel(n, k, io, ScaleRounding.Exact, Transposes: false), w).Launch(0);
        var expected = QuantizedBlocks.Of(w, n, k);
        Assert.Equal(expected.Codes, run.Codes("q"));
        Assert.Equal(expected.Scales, run.Floats("scales"));
    }

    [Fact]
    public void Rows_that_no_product_could_read_are_refused()
    {
        var kernel = new WeightQuantizeKernel(40, 128, DType.BF16, ScaleRounding.Exact, Transposes: true);
        Assert.Equal("quantize_weights_n40_k128_bf16_q8_both: rows of 40 bytes are no multiple of 16", Assert.Throws<PtxException>(() => kernel.Emit(PtxTarget.Sm90a)).Message);
    }

    /// <summary>The gradient of a linear layer's inputs, dX = dY W, as FP8 training computes it: dY in 1 x 128 groups along the outputs, Wᵀ in 128 x 128 blocks.</summary>
    [Theory]
    [InlineData(70, 320, 264)]
    [InlineData(130, 1024, 144)]
    public void Gradients_of_inputs_are_a_product_with_what_it_writes(int rows, int n, int k)
    {
        var (w, dy) = (Samples.Normal(3, n * k), Samples.Normal(4, rows * n, DType.BF16));
        using var weights = Start(new WeightQuantizeKernel(n, k, DType.F32, ScaleRounding.Exact, Transposes: true), w);
        weights.Output("qt", w.Length).Output("t_scales", (n + 127) / 128 * ((k + 127) / 128)).Launch(0);
        using var gradient = new KernelRun(new QuantizeKernel(n, DType.BF16, ScaleRounding.Exact)).Set("x", dy);
        gradient.Output("q", dy.Length).Output("scales", QuantizedRows.ScaleCount(rows, n)).Number("tokens", rows).Launch(rows);

        using var product = new KernelRun(new Fp8Gemm(k, n, DType.F32, Fp8GemmTile.Middle, 3));
        product.Set("a", gradient.Codes("q")).Set("a_scales", gradient.Floats("scales")).Set("w", weights.Codes("qt")).Set("w_scales", weights.Floats("t_scales"));
        var actual = product.Output("c", rows * k).Number("rows", rows).Launch(rows).Floats("c");

        double xy = 0, squares = 0;
        for (var i = 0; i < rows; i += 3)
        for (var j = 0; j < k; j++)
        {
            double expected = 0;
            for (var x = 0; x < n; x++) expected += (double)dy[i * n + x] * w[x * k + j];
            var got = (double)actual[i * k + j];
            (xy, squares) = (xy + expected * got, squares + expected * expected + got * got);
        }
        // Two roundings of three bits: the peers' criterion is below 0.001.
        Assert.InRange(1 - 2 * xy / squares, 1e-4, 1e-3);
    }

    private static KernelRun Start(WeightQuantizeKernel kernel, float[] w) =>
        new KernelRun(kernel).Set("w", w).Output("q", w.Length).Output("scales", kernel.Experts * ((kernel.N + 127) / 128) * ((kernel.K + 127) / 128));

    /// <summary>Normal numbers of many magnitudes, with zeros.</summary>
    private static float[] Sample(int seed, int count, DType io) =>
        [.. Samples.Normal(seed, count).Select((x, i) => Samples.Round(i % 17 == 0 ? 0 : x * (float)Math.Pow(2, i / 50 % 40 - 20), io))];

    private static T[] Turned<T>(T[] matrix, int rows, int columns) => [.. Enumerable.Range(0, columns).SelectMany(j => Enumerable.Range(0, rows).Select(i => matrix[i * columns + j]))];
}
