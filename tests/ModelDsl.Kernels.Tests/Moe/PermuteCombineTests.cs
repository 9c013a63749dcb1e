using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Moe;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Moe;

public sealed class PermuteCombineTests
{
    [Theory]
    [InlineData(44, DType.BF16, 0)]
    [InlineData(7, DType.F32, 0)]
    [InlineData(256, DType.F32, 0)]
    [InlineData(333, DType.E4M3, 3)]
    [InlineData(7168, DType.E4M3, 56)]
    [InlineData(16, DType.E4M3, 1)]
    [InlineData(4, DType.BF16, 70)]
    public void PermuteCopiesRowsAndTheirScales(int width, DType type, int columns)
    {
        int[] source = [2, 0, 0, 3, 1];
        const int Tokens = 4;
        var (x, scales) = (Samples.Normal(1, Tokens * width), Samples.Normal(2, Tokens * columns));
        using var run = new KernelRun(new PermuteKernel(width, type, columns))
            .Set("x", x).Set("source", source).Output("out", source.Length * width).Number("rows", source.Length);
        if (columns > 0) run.Set("scales", QuantizedRows.ByColumn(scales, Tokens)).Output("out_scales", QuantizedRows.Stride(source.Length) * columns).Number("tokens", Tokens);
        run.Launch(source.Length);

        var stored = run.Codes("x").Chunk(width * type.Bytes()).ToArray();
        Assert.Equal(source.SelectMany(row => stored[row]), run.Codes("out"));
        if (columns > 0) Assert.Equal(source.SelectMany(row => scales.Skip(row * columns).Take(columns)), QuantizedRows.ByRow(run.Floats("out_scales"), source.Length));
    }

    [Theory]
    [InlineData(1, 1, DType.F32, false)]
    [InlineData(44, 3, DType.BF16, true)]
    [InlineData(100, 8, DType.F32, true)]
    [InlineData(257, 2, DType.BF16, false)]
    [InlineData(7168, 8, DType.BF16, true)]
    public void CombineAddsWeightedRows(int width, int active, DType io, bool withShared)
    {
        const int Tokens = 3;
        var rows = Tokens * active;
        var (y, weights, shared) = (Samples.Normal(3, rows * width, io), Samples.Normal(4, rows), Samples.Normal(5, Tokens * width, io));
        var rowOf = Samples.Permutation(6, rows);
        using var run = new KernelRun(new CombineKernel(width, active, io, withShared))
            .Set("y", y).Set("row_of", rowOf).Set("weights", weights).Output("out", Tokens * width).Number("tokens", Tokens);
        if (withShared) run.Set("shared", shared);
        run.Launch(Tokens);

        var expected = Enumerable.Range(0, Tokens * width).Select(at =>
        {
            var (t, i) = (at / width, at % width);
            return (withShared ? shared[at] : 0.0)
                + Enumerable.Range(t * active, active).Sum(choice => (double)weights[choice] * y[rowOf[choice] * width + i]);
        });
        Close.To([.. expected], run.Floats("out"), io, absolute: 2e-6);
    }
}
