using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Elementwise;
using ModelDsl.Compiler.Kernels.Norm;
using ModelDsl.Compiler.Kernels.Transposed;
using ModelDsl.Compiler.Specs;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Kernels.Tests.Transposed;

/// <summary>Codes and scales bit by bit: against their definition, and for fused forms against those of what the kernels write that they stand for.</summary>
public class TransposedQuantizeTests
{
    /// <summary>Tokens and width: one tile; every edge ragged; one of each; no vector wider than one, two and four elements.</summary>
    public static TheoryData<int, int, DType> Shapes { get; } = new()
    {
        { 128, 128, DType.BF16 }, { 300, 264, DType.BF16 }, { 1, 1, DType.BF16 }, { 129, 131, DType.BF16 }, { 40, 258, DType.F32 }, { 130, 388, DType.BF16 }, { 70, 136, DType.F32 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Plain(int tokens, int width, DType io)
    {
        var x = Sample(1, tokens * width, io);
        Check(new TransposedQuantizeKernel(new PlainSource(io), width, ScaleRounding.Exact), tokens, x, run => run.Set("x", x));
        Check(new TransposedQuantizeKernel(new PlainSource(io), width, ScaleRounding.PowerOfTwo) { WriteRows = true }, tokens, x, run => run.Set("x", x));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void SwiGlu(int tokens, int width, DType io)
    {
        var (offset, stride) = (width + 3, 2 * width + 8);
        var x = Sample(2, tokens * stride, io);
        using var plain = new KernelRun(new SwiGluKernel(width, offset, stride, io, null)).Set("x", x).Output("out", tokens * width).Number("rows", tokens).Launch(tokens);
        Check(new TransposedQuantizeKernel(new SwiGluSource(offset, stride, io), width, ScaleRounding.Exact) { WriteRows = true }, tokens, plain.Floats("out"), run => run.Set("x", x));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Normalised(int tokens, int width, DType io)
    {
        var stride = width + 8;
        var (x, weight) = (Sample(3, tokens * stride, io), Samples.Normal(4, width));
        using var plain = new KernelRun(new RmsNormKernel(width, stride, 1e-6, io, Residual: false, WriteOut: true, null) { WriteFactors = true });
        plain.Set("x", x).Set("weight", weight).Output("out", tokens * width).Output("factors", tokens).Number("tokens", tokens).Launch(tokens);
        Check(
            new TransposedQuantizeKernel(new NormalizedSource(stride, io), width, ScaleRounding.Exact), tokens, plain.Floats("out"),
            run => run.Set("x", x).Set("weight", weight).Set("factors", plain.Floats("factors")));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Codes_of_rows(int tokens, int width, DType io)
    {
        var rows = QuantizedRows.Of(Sample(5, tokens * width, io), width);
        float[] x = [.. rows.Codes.Select((code, i) => Formats.FromE4M3(code) * rows.Scales[i % width / 128 * QuantizedRows.Stride(tokens) + i / width])];
        Check(new TransposedQuantizeKernel(new CodesSource(), width, ScaleRounding.PowerOfTwo), tokens, x, run => run.Set("codes", rows.Codes).Set("row_scales", rows.Scales));
    }

    /// <summary>Experts with whole tiles, none, one row and a ragged end; tiles that nobody uses stay as they are.</summary>
    [Theory]
    [InlineData(136, true)]
    [InlineData(131, false)]
    public void Rows_of_experts_start_at_multiples_of_128(int width, bool writeRows)
    {
        int[] counts = [128, 0, 1, 300, 0];
        var x = Sample(6, counts.Sum() * width, DType.BF16);
        var tiles = counts.SelectMany((count, expert) => Enumerable.Range(0, (count + 127) / 128).Select(tile => (expert, Row: counts[..expert].Sum() + tile * 128))).Append((-1, 0)).ToArray();
        var kernel = new TransposedQuantizeKernel(new PlainSource(DType.BF16), width, ScaleRounding.Exact) { Experts = counts.Length, WriteRows = writeRows };
        using var run = new KernelRun(kernel).Set("x", x).Set("offsets", [0, .. counts.Select((_, i) => counts[..(i + 1)].Sum())]);
        // As many tiles as the geometry allows for, all but the used ones without an expert.
        var most = Math.Min(counts.Sum(), (counts.Sum() + 127) / 128 + counts.Length);
        var list = tiles.Concat(Enumerable.Repeat((-1, 0), most - tiles.Length)).ToArray();
        run.Set("tile_expert", [.. list.Select(tile => tile.Item1)]).Set("tile_row", [.. list.Select(tile => tile.Item2)]);
        run.Output("qt", width * most * 128).Output("t_scales", most * TransposedGroups.Stride(width));
        if (writeRows) run.Output("q", x.Length).Output("scales", QuantizedRows.ScaleCount(counts.Sum(), width));
        run.Number("rows", counts.Sum()).Launch(counts.Sum());

        var expected = TransposedGroups.Of(x, width, counts);
        byte[] Used(byte[] codes, int stride) => [.. Enumerable.Range(0, width).SelectMany(feature => codes[(feature * stride)..(feature * stride + expected.Tokens)])];
        Assert.Equal(expected.Codes, Used(run.Codes("qt"), most * 128));
        Assert.All(Enumerable.Range(0, width), feature => Assert.Equal(0xA5, run.Codes("qt")[feature * most * 128 + expected.Tokens]));
        Assert.Equal(Scales(expected.Scales, width), Scales(run.Floats("t_scales")[..expected.Scales.Length], width));
        if (writeRows) ExpectRows(QuantizedRows.Of(x, width), run, counts.Sum());
    }

    [Fact]
    public void Checks_find_nothing()
    {
        var x = Sample(7, 300 * 264, DType.BF16);
        using var run = Prepare(new TransposedQuantizeKernel(new PlainSource(DType.BF16), 264, ScaleRounding.Exact) { WriteRows = true }, 300, VirtualGpuChecks.All);
        run.Set("x", x).Launch(300);
        Assert.Equal("", string.Join("\n", run.Findings));
    }

    private static void Check(TransposedQuantizeKernel kernel, int tokens, float[] x, Func<KernelRun, KernelRun> set)
    {
        var powerOfTwo = kernel.Scale == ScaleRounding.PowerOfTwo;
        var expected = TransposedGroups.Of(x, kernel.Width, [tokens], powerOfTwo);
        using var run = Prepare(kernel, tokens);
        set(run).Launch(tokens);
        Assert.Equal(Scales(expected.Scales, kernel.Width), Scales(run.Floats("t_scales"), kernel.Width));
        // What fills up may be minus zero.
        Assert.Equal(expected.Codes, run.Codes("qt").Select((code, i) => code == 0x80 && i % expected.Tokens >= tokens ? (byte)0 : code));
        if (kernel.WriteRows) ExpectRows(QuantizedRows.Of(x, kernel.Width, powerOfTwo), run, tokens);
    }

    private static void ExpectRows(QuantizedRows expected, KernelRun run, int rows)
    {
        Assert.Equal(QuantizedRows.ByRow(expected.Scales, rows), QuantizedRows.ByRow(run.Floats("scales"), rows));
        Assert.Equal(expected.Codes, run.Codes("q"));
    }

    private static KernelRun Prepare(TransposedQuantizeKernel kernel, int tokens, VirtualGpuChecks checks = VirtualGpuChecks.None)
    {
        var tiles = (tokens + 127) / 128;
        var run = new KernelRun(kernel, checks).Output("qt", kernel.Width * tiles * 128).Output("t_scales", tiles * TransposedGroups.Stride(kernel.Width)).Number("rows", tokens);
        return kernel.WriteRows ? run.Output("q", tokens * kernel.Width).Output("scales", QuantizedRows.ScaleCount(tokens, kernel.Width)) : run;
    }

    /// <summary>Without what lies between the last feature of a step and the next step.</summary>
    private static float[] Scales(float[] scales, int width) => [.. scales.Where((_, i) => i % TransposedGroups.Stride(width) < width)];

    /// <summary>Normal numbers of very different magnitude from feature to feature, some of them zeros.</summary>
    private static float[] Sample(int seed, int count, DType io) =>
        [.. Samples.Normal(seed, count).Select((x, i) => i % 11 == 3 ? 0 : Samples.Round(x * MathF.Pow(2, i % 7 * 3 - 9), io))];
}
