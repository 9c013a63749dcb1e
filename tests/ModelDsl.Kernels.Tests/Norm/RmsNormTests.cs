using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Norm;
using ModelDsl.Compiler.Specs;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Norm;

public sealed class RmsNormTests
{
    private const double Epsilon = 1e-6;

    public static TheoryData<int, int, DType> Shapes => new()
    {
        { 1, 3, DType.F32 }, { 7, 2, DType.BF16 }, { 31, 2, DType.F32 }, { 248, 2, DType.BF16 }, { 44, 3, DType.BF16 }, { 100, 1, DType.BF16 }, { 100, 2, DType.F32 },
        { 128, 4, DType.F32 }, { 256, 1, DType.BF16 }, { 257, 2, DType.BF16 }, { 1540, 2, DType.F32 }, { 7168, 2, DType.BF16 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Normalises(int width, int rows, DType io)
    {
        var (x, weight) = (Samples.Normal(1, rows * width, io), Samples.Normal(2, width));
        using var run = new KernelRun(new RmsNormKernel(width, width, Epsilon, io, Residual: false, WriteOut: true, null))
            .Set("x", x).Set("weight", weight).Output("out", rows * width).Number("tokens", rows).Launch(rows);
        Close.To(Normalised(x, weight, width), run.Floats("out"), io);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void AddsTheResidualInPlaceAndQuantises(int width, int rows, DType io)
    {
        var (x, delta, weight) = (Samples.Normal(3, rows * width, io), Samples.Normal(4, rows * width, io), Samples.Normal(5, width));
        using var run = new KernelRun(new RmsNormKernel(width, width, Epsilon, io, Residual: true, WriteOut: true, ScaleRounding.Exact))
            .Set("x", x).Alias("sum", "x").Set("delta", delta).Set("weight", weight).Output("out", rows * width)
            .Output("q", rows * width).Output("scales", QuantizedRows.ScaleCount(rows, width)).Number("tokens", rows).Launch(rows);

        var sum = x.Zip(delta, (a, b) => Samples.Round(a + b, io)).ToArray();
        Assert.Equal(sum, run.Floats("sum"));
        Close.To(Normalised(sum, weight, width), run.Floats("out"), io);
        var expected = QuantizedRows.Of(run.Floats("out"), width);
        Assert.Equal(QuantizedRows.ByRow(expected.Scales, rows), QuantizedRows.ByRow(run.Floats("scales"), rows));
        Assert.Equal(expected.Codes, run.Codes("q"));
    }

    /// <summary>Blocks that work through several rows give the bits of those that have one each: more rows than blocks, rows of wider ones, widths that end inside of a warp's tile.</summary>
    [Theory]
    [InlineData(64, 64, 700, DType.BF16)]
    [InlineData(1000, 1008, 681, DType.BF16)]
    [InlineData(136, 136, 671, DType.F32)]
    [InlineData(7168, 7168, 5, DType.BF16)]
    public void Streams(int width, int stride, int rows, DType io)
    {
        var kernel = new RmsNormKernel(width, stride, Epsilon, io, Residual: false, WriteOut: true, ScaleRounding.Exact);
        (float[] Out, byte[] Codes, float[] Scales) Run(RmsNormKernel kernel)
        {
            using var run = new KernelRun(kernel).Set("x", Samples.Normal(3, rows * stride, io)).Set("weight", Samples.Normal(5, width));
            run.Output("out", rows * width).Output("q", rows * width).Output("scales", QuantizedRows.ScaleCount(rows, width)).Number("tokens", rows).Launch(rows);
            return (run.Floats("out"), run.Codes("q"), run.Floats("scales"));
        }
        var (alone, streamed) = (Run(kernel), Run(kernel with { Streams = true }));
        Assert.Equal(alone.Out, streamed.Out);
        Assert.Equal(alone.Codes, streamed.Codes);
        Assert.Equal(alone.Scales, streamed.Scales);
    }

    [Theory]
    [InlineData(4096, 7168, false, true)]
    [InlineData(128, 7168, false, false)]
    [InlineData(4096, 512, false, false)]
    [InlineData(4096, 7168, true, false)]
    public void Many_wide_rows_are_streamed(int rows, int width, bool residual, bool streams) =>
        Assert.Equal(streams, new RmsNormKernel(width, width, Epsilon, DType.BF16, residual, WriteOut: false, ScaleRounding.Exact).For(rows).Streams);

    [Theory]
    [InlineData(DType.BF16)]
    [InlineData(DType.F32)]
    public void ReadsAPartOfWiderRows(DType io)
    {
        const int Width = 96, Stride = 140, Rows = 3;
        var (x, weight) = (Samples.Normal(6, Rows * Stride, io), Samples.Normal(7, Width));
        using var run = new KernelRun(new RmsNormKernel(Width, Stride, Epsilon, io, Residual: false, WriteOut: true, null))
            .Set("x", x).Set("weight", weight).Output("out", Rows * Width).Number("tokens", Rows).Launch(Rows);
        var part = x.Chunk(Stride).SelectMany(row => row.Take(Width)).ToArray();
        Close.To(Normalised(part, weight, Width), run.Floats("out"), io);
    }

    [Fact]
    public void BlocksBeyondTheRowsDoNothing()
    {
        using var run = new KernelRun(new RmsNormKernel(64, 64, Epsilon, DType.F32, Residual: false, WriteOut: true, null))
            .Set("x", Samples.Normal(8, 64)).Set("weight", Samples.Normal(9, 64)).Output("out", 64).Number("tokens", 1).Launch(5);
        Assert.All(run.Floats("out"), value => Assert.True(Math.Abs(value) < 100));
    }

    private static double[] Normalised(float[] x, float[] weight, int width) => [.. x.Chunk(width).SelectMany(row =>
    {
        var factor = 1 / Math.Sqrt(row.Sum(v => (double)v * v) / width + Epsilon);
        return row.Select((v, i) => v * factor * weight[i]);
    })];
}
