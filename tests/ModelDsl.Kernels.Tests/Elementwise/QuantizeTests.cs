using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Elementwise;
using ModelDsl.Compiler.Specs;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Elementwise;

public sealed class QuantizeTests
{
    public static TheoryData<int, int, DType, ScaleRounding> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, int, DType, ScaleRounding>();
            foreach (var scale in new[] { ScaleRounding.Exact, ScaleRounding.PowerOfTwo })
            foreach (var io in new[] { DType.BF16, DType.F32 })
            foreach (var (width, rows) in new[] { (1, 1), (7, 3), (44, 2), (100, 2), (128, 1), (130, 3), (256, 2), (640, 1), (1096, 1) })
                shapes.Add(width, rows, io, scale);
            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void EqualsTheDefinitionBitByBit(int width, int rows, DType io, ScaleRounding scale)
    {
        var x = Samples.Normal(width, rows * width, io, deviation: 3);
        using var run = new KernelRun(new QuantizeKernel(width, io, scale))
            .Set("x", x).Output("q", rows * width).Output("scales", QuantizedRows.ScaleCount(rows, width)).Number("tokens", rows).Launch(rows);
        var expected = QuantizedRows.Of(x, width, scale == ScaleRounding.PowerOfTwo);
        Assert.Equal(QuantizedRows.ByRow(expected.Scales, rows), QuantizedRows.ByRow(run.Floats("scales"), rows));
        Assert.Equal(expected.Codes, run.Codes("q"));
    }

    [Fact]
    public void ZerosAndTinyNumbersUseTheSmallestScale()
    {
        float[] x = [.. Enumerable.Repeat(0f, 128), .. Enumerable.Repeat(3e-5f, 128)];
        using var run = new KernelRun(new QuantizeKernel(256, DType.F32, ScaleRounding.Exact))
            .Set("x", x).Output("q", 256).Output("scales", 8).Number("tokens", 1).Launch(1);
        Assert.Equal([1e-4f / 448, 1e-4f / 448], QuantizedRows.ByRow(run.Floats("scales"), rows: 1));
        Assert.All(run.Codes("q").Take(128), code => Assert.Equal(0, code));
        Assert.All(run.Floats("q").Skip(128), value => Assert.InRange(value, 128f, 144f));
    }

    [Fact]
    public void EqualsThePublishedMicroModel() => EqualsGoldens(GoldenModel.Micro);

    [SharedFact]
    public void EqualsThePublishedTinyModel() => EqualsGoldens(GoldenModel.TinyAligned);

    private static void EqualsGoldens(GoldenModel model)
    {
        var goldens = Safetensors.Load(Path.Combine(model.Folder, "fp8", "goldens.safetensors"));
        var x = goldens["op.o_proj_1.x"];
        var (rows, width) = (x.Shape[0], x.Shape[1]);
        using var run = new KernelRun(new QuantizeKernel(width, DType.F32, ScaleRounding.Exact))
            .Set("x", x.Floats()).Output("q", rows * width).Output("scales", QuantizedRows.ScaleCount(rows, width)).Number("tokens", rows).Launch(rows);
        Assert.Equal(goldens["op.o_proj_1.x_scale"].Floats(), QuantizedRows.ByRow(run.Floats("scales"), rows));
        Assert.Equal(goldens["op.o_proj_1.x_fp8"].Bytes, run.Codes("q"));
    }
}
