using System.Text.Json;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary><c>dsmc bench</c> and <c>dsmc exec --time</c>, in software: times mean nothing there, but every kernel has to be launched with what it needs.</summary>
public sealed class BenchVerbTests
{
    /// <summary>Products of few rows, of groups, in both attentions and their gradients, and all that streams.</summary>
    [Theory]
    [InlineData("fp8 gemm M 3 N 7168 K 2048", 1)]
    [InlineData("masked groups 6 M 3 N 7168", 1)]
    [InlineData("weight gradient groups 4 M 3 N 2048", 2)]
    [InlineData("mla decode requests", 4)]
    [InlineData("fp8 cache requests", 4)]
    [InlineData("combine requests", 4)]
    [InlineData("prefill", 6)]
    [InlineData("rows 3 ", 16)]
    [InlineData("rows 24 ", 4)]
    [InlineData("quantise weights", 2)]
    public void Every_kernel_is_launched_and_told_with_its_shape(string filter, int cases)
    {
        var run = Dsmc.Run("bench", "--device", "virtual", "--rows", "3", "--runs", "2", "--json", "--filter", filter);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var lines = run.Out.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.StartsWith("virtual GPU", lines[0].GetProperty("device").GetString());
        Assert.Equal(cases, lines.Length - 1);
        Assert.All(lines[1..], line => Assert.True(line.GetProperty("us").GetDouble() > 0, line.ToString()));
        Assert.All(lines[1..], line => Assert.InRange(line.GetProperty("least_us").GetDouble(), 0, line.GetProperty("us").GetDouble()));
    }

    [Fact]
    public void The_table_has_a_column_for_each_number()
    {
        var run = Dsmc.Run("bench", "--device", "virtual", "--rows", "2", "--runs", "1", "--filter", "add rows");
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"(?m)^operation +shape +us +least +TFLOP/s +GB/s +floor +of it +copy +of it +kernel$", run.Out);
        Assert.Matches(@"(?m)^add +rows 2 x 7168 +[0-9.]+ +[0-9.]+ .* [0-9.]+ +[0-9]+%  add_w7168_bf16$", run.Out);
    }

    [Fact]
    public void A_kernel_of_any_text_is_timed_after_its_buffers_were_kept()
    {
        using var folder = new TemporaryFolder();
        var ptx = folder.Write("k.ptx", """
            .version 8.4
            .target sm_80
            .address_size 64
            .visible .entry more(.param .u64 x)
            {
                .reg .b32 %r<3>; .reg .b64 %d<2>;
                ld.param.u64 %d1, [x]; ld.global.u32 %r1, [%d1]; add.u32 %r2, %r1, 1; st.global.u32 [%d1], %r2; ret;
            }
            """);
        var output = folder.File("out.safetensors");
        var run = Dsmc.Run("exec", ptx, "--arg", "buf:i32[1]:fill(5)", "--time", "4", "--out", output, "--json");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var told = JsonDocument.Parse(run.Out).RootElement;
        Assert.InRange(told.GetProperty("least_us").GetDouble(), 0, told.GetProperty("median_us").GetDouble());
        Assert.Equal([6], Safetensors.Load(output)["arg0"].Ints());
        Assert.Equal((2, "dsmc: --time 0: 1 to 10000 runs are possible\n"), (Dsmc.Run("exec", ptx, "--time", "0").ExitCode, Dsmc.Run("exec", ptx, "--time", "0").Error));
    }

    [Theory]
    [InlineData(2, "--filter nothing-like-this: no kernel, shape or operation has that in its name", "--filter", "nothing-like-this")]
    [InlineData(2, "--device virtual: in software these shapes take hours; say how many --rows instead, such as 8", "--filter", "add")]
    [InlineData(2, "--runs 0: 1 to 10000 are possible", "--runs", "0")]
    [InlineData(2, "--rows -1: 1 to 131072 are possible", "--rows", "-1")]
    [InlineData(2, "--l2 full: read or written is expected", "--l2", "full")]
    public void What_cannot_be_is_said(int exitCode, string message, params string[] arguments)
    {
        var run = Dsmc.Run(["bench", "--device", "virtual", .. arguments]);
        Assert.Equal((exitCode, $"dsmc: {message}\n"), (run.ExitCode, run.Error));
    }
}
