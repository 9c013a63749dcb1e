using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Elementwise;
using ModelDsl.Compiler.Specs;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Elementwise;

public sealed class ElementwiseTests
{
    public static TheoryData<int, int, DType> Shapes => new()
    {
        { 1, 3, DType.F32 }, { 7, 2, DType.BF16 }, { 31, 2, DType.F32 }, { 248, 2, DType.BF16 }, { 44, 3, DType.BF16 }, { 100, 2, DType.F32 }, { 128, 1, DType.BF16 }, { 257, 2, DType.F32 },
        { 2050, 1, DType.BF16 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void AddRoundsOnceAndMayOverwriteAnOperand(int width, int rows, DType io)
    {
        var (a, b) = (Samples.Normal(1, rows * width, io), Samples.Normal(2, rows * width, io));
        using var run = new KernelRun(new AddKernel(width, io)).Set("a", a).Alias("out", "a").Set("b", b).Number("tokens", rows).Launch(rows);
        Assert.Equal(a.Zip(b, (x, y) => Samples.Round(x + y, io)), run.Floats("out"));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ConcatPutsRowsSideBySide(int width, int rows, DType io)
    {
        var (a, b) = (Samples.Normal(6, rows * width, io), Samples.Normal(7, rows * width, io));
        using var run = new KernelRun(new ConcatColumnsKernel(width, io))
            .Set("a", a).Set("b", b).Output("out", 2 * rows * width).Number("tokens", rows).Launch(rows);
        Assert.Equal(a.Chunk(width).Zip(b.Chunk(width)).SelectMany(row => row.First.Concat(row.Second)), run.Floats("out"));
    }

    [Theory]
    [InlineData(DType.BF16, DType.BF16, 44)]
    [InlineData(DType.BF16, DType.F32, 256)]
    [InlineData(DType.F32, DType.BF16, 45)]
    [InlineData(DType.F32, DType.F32, 7)]
    [InlineData(DType.BF16, DType.F32, 1033)]
    public void EmbeddingCopiesRows(DType table, DType io, int hidden)
    {
        const int Vocabulary = 11;
        int[] ids = [3, 0, 10, 3];
        var rows = Samples.Normal(3, Vocabulary * hidden, table);
        using var run = new KernelRun(new EmbeddingKernel(Vocabulary, hidden, table, io))
            .Set("ids", ids).Set("table", rows).Output("out", ids.Length * hidden).Number("tokens", ids.Length).Launch(ids.Length);
        Assert.Equal(ids.SelectMany(id => rows.Skip(id * hidden).Take(hidden)).Select(x => Samples.Round(x, io)), run.Floats("out"));
    }

    [Fact]
    public void EmbeddingOfUnknownIdsIsZero()
    {
        using var run = new KernelRun(new EmbeddingKernel(4, 20, DType.BF16, DType.BF16))
            .Set("ids", [-1, 4, int.MaxValue]).Set("table", Samples.Normal(4, 80)).Output("out", 60).Number("tokens", 3).Launch(3);
        Assert.All(run.Floats("out"), value => Assert.Equal(0f, value));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void SwiGluFollowsItsEquation(int width, int rows, DType io)
    {
        var (upOffset, stride) = (width + 3, 2 * width + 5);
        var x = Samples.Normal(5, rows * stride, io, deviation: 4);
        using var run = new KernelRun(new SwiGluKernel(width, upOffset, stride, io, null))
            .Set("x", x).Output("out", rows * width).Number("rows", rows).Launch(rows);
        Close.To(SwiGlu(x, width, upOffset, stride), run.Floats("out"), io);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void SwiGluQuantisesWhatItWouldHaveWritten(int width, int rows, DType io)
    {
        var x = Samples.Normal(6, rows * 2 * width, io, deviation: 4);
        using var plain = new KernelRun(new SwiGluKernel(width, width, 2 * width, io, null))
            .Set("x", x).Output("out", rows * width).Number("rows", rows).Launch(rows);
        using var fused = new KernelRun(new SwiGluKernel(width, width, 2 * width, io, ScaleRounding.Exact))
            .Set("x", x).Output("q", rows * width).Output("scales", QuantizedRows.ScaleCount(rows, width)).Number("rows", rows).Launch(rows);
        var expected = QuantizedRows.Of(plain.Floats("out"), width);
        Assert.Equal(QuantizedRows.ByRow(expected.Scales, rows), QuantizedRows.ByRow(fused.Floats("scales"), rows));
        Assert.Equal(expected.Codes, fused.Codes("q"));
    }

    [Fact]
    public void SwiGluSaturatesWithoutNonsense()
    {
        float[] gates = [-1e30f, -200, -90, 0, 90, 1e30f, float.NaN];
        var x = gates.Concat(Enumerable.Repeat(1f, 7)).ToArray();
        using var run = new KernelRun(new SwiGluKernel(7, 7, 14, DType.F32, null)).Set("x", x).Output("out", 7).Number("rows", 1).Launch(1);
        Assert.Equal([0, 0, 0, 0, 90, 1e30f, float.NaN], run.Floats("out").Select(v => Math.Abs(v) < 1e-30 ? 0 : v));
    }

    private static double[] SwiGlu(float[] x, int width, int upOffset, int stride) =>
        [.. x.Chunk(stride).SelectMany(row => Enumerable.Range(0, width).Select(i => row[i] / (1 + Math.Exp(-row[i])) * row[upOffset + i]))];
}
