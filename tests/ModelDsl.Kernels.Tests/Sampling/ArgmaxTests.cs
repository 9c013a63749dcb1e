using ModelDsl.Compiler.Kernels.Sampling;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Sampling;

public sealed class ArgmaxTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 7)]
    [InlineData(256, 200)]
    [InlineData(512, 512)]
    [InlineData(1001, 998)]
    [InlineData(129280, 128815)]
    public void FindsTheLargestOfTheValidIds(int vocabulary, int valid)
    {
        const int Rows = 2;
        var logits = Samples.Normal(vocabulary, Rows * vocabulary);
        for (var row = 0; row < Rows; row++)
        for (var id = valid; id < vocabulary; id++)
            logits[row * vocabulary + id] = 1000;
        Assert.Equal(logits.Chunk(vocabulary).Select(row => Array.IndexOf(row, row[..valid].Max())), Run(vocabulary, valid, logits));
    }

    [Theory]
    [InlineData(3, 99)]
    [InlineData(0, 1)]
    [InlineData(1999, 2047)]
    public void TheLowestIdWinsTies(int first, int second)
    {
        var logits = new float[2048];
        Array.Fill(logits, -4);
        logits[first] = logits[second] = -3;
        Assert.Equal([first], Run(2048, 2048, logits));
    }

    [Fact]
    public void HopelessLogitsGiveTheFirstId()
    {
        float[] logits = [.. Enumerable.Repeat(float.NegativeInfinity, 40), .. Enumerable.Repeat(float.NaN, 40)];
        Assert.Equal([0, 0], Run(40, 40, logits));
    }

    private static int[] Run(int vocabulary, int valid, float[] logits)
    {
        var rows = logits.Length / vocabulary;
        using var run = new KernelRun(new ArgmaxKernel(vocabulary))
            .Set("logits", logits).Number("valid", valid).Output("out", rows).Number("rows", rows).Launch(rows);
        return run.Ints("out");
    }
}
