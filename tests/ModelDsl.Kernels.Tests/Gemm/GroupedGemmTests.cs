using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Kernels.Gemm;
using ModelDsl.Kernels.Tests.Harness;

namespace ModelDsl.Kernels.Tests.Gemm;

public class GroupedGemmTests
{
    /// <summary>Rows of each expert: some have none, one has more than a tile, one a single row.</summary>
    private static readonly int[] Counts = [0, 3, 70, 0, 1, 12, 0];

    [Theory]
    [InlineData(DType.BF16, GemmShape.Tile, 72, 136)]
    [InlineData(DType.BF16, GemmShape.Skinny, 72, 136)]
    [InlineData(DType.BF16, GemmShape.Skinny, 19, 45)]
    [InlineData(DType.BF16, GemmShape.Tile, 1030, 64)]
    [InlineData(DType.F32, GemmShape.Tile, 72, 45)]
    [InlineData(DType.F32, GemmShape.Skinny, 33, 136)]
    public void Rows_meet_the_weights_of_their_expert(DType io, GemmShape shape, int n, int k)
    {
        var rows = Counts.Sum();
        var (left, right) = (Samples.Normal(5, rows * k, io), Samples.Normal(6, Counts.Length * n * k, io));
        var kernel = new GroupedGemmKernel(Counts.Length, n, k, 2, io, io, io, shape);
        using var run = new KernelRun(kernel);
        run.Set("a", left).Set("w", right);
        Launch(run, kernel, kernel.TileRows, n);
        var expected = GemmReference.Multiply(rows, n, k, (i, d) => left[i * k + d], (_, _) => 0);
        for (int e = 0, row = 0; e < Counts.Length; row += Counts[e++])
            GemmReference.Multiply(Counts[e], n, k, (i, d) => left[(row + i) * k + d], (j, d) => right[(e * n + j) * k + d])
                .CopyTo(expected, row * n);
        Close.To(expected, run.Floats("c"), io, GemmReference.Slack(k));
    }

    [Theory]
    [InlineData(GemmShape.Tile, 200, 144)]
    [InlineData(GemmShape.Skinny, 200, 144)]
    [InlineData(GemmShape.Skinny, 19, 45)]
    [InlineData(GemmShape.Tile, 1030, 128)]
    public void Quantised_rows_meet_the_weights_and_scales_of_their_expert(GemmShape shape, int n, int k)
    {
        var rows = Counts.Sum();
        var (left, activation) = GemmReference.Activations(7, rows, k);
        var weights = Enumerable.Range(0, Counts.Length).Select(e => GemmReference.Weights(8 + e * 2, n, k)).ToArray();
        var kernel = new GroupedFp8GemmKernel(Counts.Length, n, k, 2, DType.F32, shape);
        using var run = new KernelRun(kernel);
        run.Set("a", left.Codes).Set("a_scales", left.Scales);
        run.Set("w", [.. weights.SelectMany(w => w.Codes)]).Set("w_scales", [.. weights.SelectMany(w => w.Scales)]);
        Launch(run, kernel, kernel.TileRows, n);
        var expected = new double[rows * n];
        for (int e = 0, row = 0; e < Counts.Length; row += Counts[e++])
            GemmReference.Multiply(Counts[e], n, k, (i, d) => activation(row + i, d), weights[e].Value).CopyTo(expected, row * n);
        Close.To(expected, run.Floats("c"), DType.F32, GemmReference.Slack(k, product: 2));
    }

    /// <summary>Lists the tiles as dispatch does, unused entries at the end.</summary>
    private static void Launch(KernelRun run, Kernel kernel, int tileRows, int n)
    {
        var rows = Counts.Sum();
        var offsets = new int[Counts.Length + 1];
        var tiles = new List<(int Expert, int Row)>();
        for (var e = 0; e < Counts.Length; e++)
        {
            offsets[e + 1] = offsets[e] + Counts[e];
            for (var row = offsets[e]; row < offsets[e + 1]; row += tileRows) tiles.Add((e, row));
        }

        var length = (int)kernel.Geometry.GridX.Evaluate(_ => rows);
        Assert.Equal(Math.Min(rows, (rows + tileRows - 1) / tileRows + Counts.Length), length);
        while (tiles.Count < length) tiles.Add((-1, -1));
        run.Set("offsets", offsets).Set("tile_expert", [.. tiles.Select(t => t.Expert)]).Set("tile_row", [.. tiles.Select(t => t.Row)]);
        run.Output("c", rows * n).Number("rows", rows).Launch(rows);
    }
}
