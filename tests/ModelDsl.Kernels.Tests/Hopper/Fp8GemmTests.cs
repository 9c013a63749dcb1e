using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Kernels.Tests.Gemm;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Kernels.Tests.Hopper;

public class Fp8GemmTests
{
    /// <summary>Rows, outputs, inputs: whole tiles; every edge ragged; one row; fewer inputs than a step; more steps than stages; several tiles for a block.</summary>
    public static TheoryData<int, int, int> Shapes { get; } = new()
    {
        { 128, 128, 256 }, { 70, 200, 144 }, { 1, 64, 128 }, { 300, 136, 16 }, { 257, 392, 1296 }, { 640, 264, 272 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Many_rows(int rows, int n, int k) => Check(rows, n, k, DType.BF16, Fp8GemmTile.Many);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Three_warpgroups(int rows, int n, int k) => Check(rows, n, k, DType.BF16, Fp8GemmTile.Three);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Middling_rows_in_FP32(int rows, int n, int k) => Check(rows, n, k, DType.F32, Fp8GemmTile.Middle);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Few_rows(int rows, int n, int k) => Check(rows, n, k, DType.BF16, Fp8GemmTile.Few);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Few_rows_in_FP32(int rows, int n, int k) => Check(rows, n, k, DType.F32, Fp8GemmTile.Few);

    /// <summary>
    /// The peers' criterion: inputs are normal BF16 numbers, quantised; the reference is the product of what they were before, as BF16.
    /// 1 - 2 Σxy / Σ(x² + y²) is below 0.001.
    /// </summary>
    [Theory]
    [InlineData(64, 2112, 1024)]
    [InlineData(300, 576, 1152)]
    public void Is_as_close_to_the_product_of_unquantised_operands_as_peers_ask(int rows, int n, int k)
    {
        var (a, w) = (Samples.Normal(1, rows * k, DType.BF16), Samples.Normal(2, n * k, DType.BF16));
        var left = QuantizedRows.Of(a, k);
        var (codes, scales) = QuantizedBlocks.Of(w, n, k);
        var actual = Run(rows, n, k, DType.BF16, Fp8GemmTile.Middle, left, codes, scales);
        double xy = 0, squares = 0;
        for (var i = 0; i < rows; i += 7)
        for (var j = 0; j < n; j++)
        {
            double sum = 0;
            for (var x = 0; x < k; x++) sum += (double)a[i * k + x] * w[j * k + x];
            double expected = Formats.RoundBF16((float)sum), got = actual[i * n + j];
            (xy, squares) = (xy + expected * got, squares + expected * expected + got * got);
        }
        var difference = 1 - 2 * xy / squares;
        // Two roundings of three bits: each operand is off by some 2.5 %.
        Assert.InRange(difference, 1e-4, 1e-3);
    }

    [Fact]
    public void Runs_give_the_same_bits_whatever_the_grid()
    {
        var (codes, scales, _) = GemmReference.Weights(3, 264, 528);
        var (left, _) = GemmReference.Activations(4, 333, 528);
        var first = Run(333, 264, 528, DType.F32, Fp8GemmTile.Middle, left, codes, scales);
        Assert.Equal(first, Run(333, 264, 528, DType.F32, Fp8GemmTile.Middle, left, codes, scales));
        Assert.Equal(first, Run(333, 264, 528, DType.F32, Fp8GemmTile.Middle, left, codes, scales, blocks: 1));
        Assert.Equal(first, Run(333, 264, 528, DType.F32, Fp8GemmTile.Few, left, codes, scales, blocks: 7));
        Assert.Equal(first, Run(333, 264, 528, DType.F32, Fp8GemmTile.Many, left, codes, scales, blocks: 4));
    }

    /// <summary>Two tiles for a block and more steps than stages, so that every barrier is used again.</summary>
    [Theory]
    [InlineData(DType.BF16)]
    [InlineData(DType.F32)]
    public void Checks_find_nothing(DType output)
    {
        const int Rows = 70, N = 136, K = 1296;
        var (codes, scales, _) = GemmReference.Weights(3, N, K);
        var (left, _) = GemmReference.Activations(4, Rows, K);
        foreach (var tile in new[] { Fp8GemmTile.Few, Fp8GemmTile.Many })
        {
            using var run = new KernelRun(new Fp8Gemm(N, K, output, tile, Blocks: 1), VirtualGpuChecks.All);
            run.Set("a", left.Codes).Set("a_scales", left.Scales).Set("w", codes).Set("w_scales", scales);
            run.Output("c", Rows * N).Number("rows", Rows).Launch(Rows);
            Assert.Equal("", string.Join("\n", run.Findings));
        }
    }

    /// <summary>Groups of 128, none and 256 rows of which some are padding, and a tile that nobody wants.</summary>
    [Theory]
    [InlineData(DType.BF16, 200, 272)]
    [InlineData(DType.F32, 64, 128)]
    public void Rows_of_groups_one_behind_the_other(DType output, int n, int k)
    {
        const int Tile = 128, Rows = 5 * Tile;
        int[] groupOfTile = [0, 2, 2, -1, 3];
        var (codes, scales, weight) = Stacked(4, n, k);
        var (left, activation) = GemmReference.Activations(4, Rows, k);
        using var run = new KernelRun(new Fp8Gemm(n, k, output, Fp8GemmTile.Middle, Blocks: 2) { Groups = new ContiguousGroups(4) });
        run.Set("a", left.Codes).Set("a_scales", left.Scales).Set("w", codes).Set("w_scales", scales);
        run.Set("groups", [.. Enumerable.Range(0, Rows).Select(row => groupOfTile[row / Tile])]).Output("c", Rows * n).Number("rows", Rows);
        var untouched = run.Floats("c");
        run.Launch(Rows);
        var actual = run.Floats("c");
        for (var tile = 0; tile < groupOfTile.Length; tile++)
        {
            var (first, group) = (tile * Tile, groupOfTile[tile]);
            var part = actual[(first * n)..((first + Tile) * n)];
            if (group < 0) Assert.Equal(untouched[(first * n)..((first + Tile) * n)], part);
            else Close.ToFp8Products(GemmReference.Multiply(Tile, n, k, (i, x) => activation(first + i, x), (j, x) => weight(group, j, x)), part, output, GemmReference.Slack(k, product: 2));
        }
    }

    /// <summary>Only the first rows of each group count: none, some, all, and one of a second tile.</summary>
    [Theory]
    [InlineData(DType.BF16, 136, 144)]
    [InlineData(DType.F32, 128, 256)]
    public void The_first_rows_of_groups_with_room_of_their_own(DType output, int n, int k)
    {
        const int Room = 160;
        int[] counts = [3, 0, 160, 65];
        var (codes, scales, weight) = Stacked(counts.Length, n, k);
        var (left, activation) = GemmReference.Activations(4, counts.Length * Room, k);
        using var run = new KernelRun(new Fp8Gemm(n, k, output, Fp8GemmTile.Few, Blocks: 3) { Groups = new MaskedGroups(counts.Length, Room) });
        // Each group has columns of its own.
        var byGroup = QuantizedRows.ByRow(left.Scales, counts.Length * Room).Chunk(Room * ((k + 127) / 128)).SelectMany(group => QuantizedRows.ByColumn(group, Room));
        run.Set("a", left.Codes).Set("a_scales", [.. byGroup]).Set("w", codes).Set("w_scales", scales).Set("counts", counts).Output("c", counts.Length * Room * n);
        var untouched = run.Floats("c");
        run.Launch(1);
        var actual = run.Floats("c");
        for (var group = 0; group < counts.Length; group++)
        {
            var first = group * Room;
            var expected = GemmReference.Multiply(counts[group], n, k, (i, x) => activation(first + i, x), (j, x) => weight(group, j, x));
            Close.ToFp8Products(expected, actual[(first * n)..((first + counts[group]) * n)], output, GemmReference.Slack(k, product: 2));
            // Behind the last tile nothing is written.
            var end = Math.Min(Room, (counts[group] + 63) / 64 * 64);
            Assert.Equal(untouched[((first + end) * n)..((first + Room) * n)], actual[((first + end) * n)..((first + Room) * n)]);
        }
    }

    /// <summary>Groups of any size one behind the other, in a list as dispatch makes it: whole tiles, none, a few rows, a tile and a bit, with unused entries at the end; rows of a neighbour stay as they are.</summary>
    [Theory]
    [InlineData(DType.BF16, 200, 272, 128, 128)]
    [InlineData(DType.F32, 64, 128, 64, 64)]
    [InlineData(DType.BF16, 136, 1296, 64, 128)]
    public void Rows_of_groups_of_any_size(DType output, int n, int k, int tileRows, int tileColumns)
    {
        int[] counts = [tileRows, 0, 3, tileRows + 70, 1];
        using var run = Listed(new Fp8Gemm(n, k, output, new Fp8GemmTile(tileRows, tileColumns), Blocks: 2) { Groups = new ListedGroups(counts.Length) }, counts, out var expected);
        Close.ToFp8Products(expected, run.Launch(counts.Sum()).Floats("c"), output, GemmReference.Slack(k, product: 2));
    }

    [Fact]
    public void Checks_find_nothing_in_groups_of_any_size()
    {
        int[] counts = [5, 66, 0, 9];
        using var run = Listed(new Fp8Gemm(136, 272, DType.BF16, Fp8GemmTile.Few, Blocks: 1) { Groups = new ListedGroups(counts.Length) }, counts, out _, VirtualGpuChecks.All);
        run.Launch(counts.Sum());
        Assert.Equal("", string.Join("\n", run.Findings));
    }

    private static KernelRun Listed(Fp8Gemm kernel, int[] counts, out double[] expected, VirtualGpuChecks checks = VirtualGpuChecks.None)
    {
        var (n, k, rows, tile) = (kernel.N, kernel.K, counts.Sum(), kernel.Tile.Rows);
        var (codes, scales, weight) = Stacked(counts.Length, n, k);
        var (left, activation) = GemmReference.Activations(4, rows, k);
        int[] offsets = [0, .. counts.Select((_, i) => counts[..(i + 1)].Sum())];
        var used = counts.SelectMany((count, group) => Enumerable.Range(0, (count + tile - 1) / tile).Select(i => (group, Row: offsets[group] + i * tile))).ToArray();
        var entries = Math.Min(rows, (rows + tile - 1) / tile + counts.Length);
        var list = used.Concat(Enumerable.Repeat((-1, 0), entries - used.Length)).ToArray();
        expected = [.. counts.SelectMany((count, group) => GemmReference.Multiply(count, n, k, (i, x) => activation(offsets[group] + i, x), (j, x) => weight(group, j, x)))];
        var run = new KernelRun(kernel, checks).Set("a", left.Codes).Set("a_scales", left.Scales).Set("w", codes).Set("w_scales", scales).Set("offsets", offsets);
        run.Set("tile_expert", [.. list.Select(entry => entry.Item1)]).Set("tile_row", [.. list.Select(entry => entry.Item2)]);
        return run.Output("c", rows * n).Alias("c_rows", "c").Number("rows", rows);
    }

    /// <summary>Weights of several groups, one behind the other.</summary>
    private static (byte[] Codes, float[] Scales, Func<int, int, int, double> Value) Stacked(int groups, int n, int k)
    {
        var all = Enumerable.Range(0, groups).Select(group => GemmReference.Weights(3 + 10 * group, n, k)).ToArray();
        return ([.. all.SelectMany(w => w.Codes)], [.. all.SelectMany(w => w.Scales)], (group, j, x) => all[group].Value(j, x));
    }

    private static void Check(int rows, int n, int k, DType output, Fp8GemmTile tile)
    {
        var (codes, scales, weight) = GemmReference.Weights(3, n, k);
        var (left, activation) = GemmReference.Activations(4, rows, k);
        var actual = Run(rows, n, k, output, tile, left, codes, scales);
        Close.ToFp8Products(GemmReference.Multiply(rows, n, k, activation, weight), actual, output, GemmReference.Slack(k, product: 2));
    }

    private static float[] Run(int rows, int n, int k, DType output, Fp8GemmTile tile, QuantizedRows left, byte[] codes, float[] scales, int blocks = 3)
    {
        using var run = new KernelRun(new Fp8Gemm(n, k, output, tile, blocks));
        run.Set("a", left.Codes).Set("a_scales", left.Scales).Set("w", codes).Set("w_scales", scales);
        run.Output("c", rows * n).Number("rows", rows).Launch(rows);
        return run.Floats("c");
    }
}
