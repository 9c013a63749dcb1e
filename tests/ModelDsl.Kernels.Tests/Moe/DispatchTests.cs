using ModelDsl.Compiler.Kernels.Moe;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Moe;

public sealed class DispatchTests
{
    [Theory]
    [InlineData(1, 8, 2, 16)]
    [InlineData(1, 256, 8, 64)]
    [InlineData(3, 16, 4, 1)]
    [InlineData(48, 8, 2, 16)]
    [InlineData(37, 100, 5, 8)]
    [InlineData(200, 33, 3, 64)]
    [InlineData(300, 256, 8, 64)]
    [InlineData(5, 1, 1, 4)]
    [InlineData(20, 5000, 6, 16)]
    [InlineData(4096, 256, 8, 64)]
    public void SortsByExpertInTokenOrder(int tokens, int experts, int active, int tileRows)
    {
        var random = new Random(tokens);
        var indices = Enumerable.Range(0, tokens).SelectMany(_ =>
        {
            // Squaring crowds the low ids, so that experts differ in load.
            var ids = new HashSet<int>();
            while (ids.Count < active) ids.Add((int)(experts * Math.Pow(random.NextDouble(), 2)));
            return ids.Order();
        }).ToArray();
        Check(indices, experts, active, tileRows);
    }

    [Fact]
    public void OneExpertMayTakeEverything() => Check(new int[700], 12, 1, 16);

    [Fact]
    public void NoTokensGiveEmptyRanges()
    {
        using var run = new KernelRun(new DispatchKernel(8, 2, 16)).Set("indices", [0, 0]).Output("offsets", 9).Output("row_of", 1).Output("source", 1)
            .Output("tile_expert", 1).Output("tile_row", 1).Number("tokens", 0).Number("tiles", 0).Launch(0);
        Assert.Equal(new int[9], run.Ints("offsets"));
    }

    private static void Check(int[] indices, int experts, int active, int tileRows)
    {
        var rows = indices.Length;
        var tiles = Math.Min(rows, (rows + tileRows - 1) / tileRows + experts);
        using var run = new KernelRun(new DispatchKernel(experts, active, tileRows))
            .Set("indices", indices).Output("offsets", experts + 1).Output("row_of", rows).Output("source", rows)
            .Output("tile_expert", tiles).Output("tile_row", tiles).Number("tokens", rows / active).Number("tiles", tiles).Launch(rows / active);

        var order = Enumerable.Range(0, rows).OrderBy(i => indices[i]).ToArray();
        var offsets = Enumerable.Range(0, experts + 1).Select(e => indices.Count(id => id < e)).ToArray();
        Assert.Equal(offsets, run.Ints("offsets"));
        Assert.Equal(order.Select(i => i / active), run.Ints("source"));
        var rowOf = new int[rows];
        for (var row = 0; row < rows; row++) rowOf[order[row]] = row;
        Assert.Equal(rowOf, run.Ints("row_of"));

        var list = Enumerable.Range(0, experts)
            .SelectMany(e => Enumerable.Range(0, (offsets[e + 1] - offsets[e] + tileRows - 1) / tileRows).Select(i => (Expert: e, Row: offsets[e] + i * tileRows)))
            .ToArray();
        Assert.True(list.Length <= tiles);
        Assert.Equal([.. list.Select(t => t.Expert), .. Enumerable.Repeat(-1, tiles - list.Length)], run.Ints("tile_expert"));
        Assert.Equal(list.Select(t => t.Row), run.Ints("tile_row").Take(list.Length));
    }
}
