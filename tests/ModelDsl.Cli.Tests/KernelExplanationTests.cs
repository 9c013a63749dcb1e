using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary><c>dsmc build --explain kernels</c>.</summary>
public sealed class KernelExplanationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_product_by_warpgroups_says_what_it_is_expected_to_take_and_what_it_was_preferred_to()
    {
        var (exit, text) = Build("--max-sequences", "64", "--explain", "kernels");
        Assert.Equal(ExitCode.Success, exit);
        var lines = text.Split('\n').Select(line => line.Trim()).ToArray();
        var product = Array.FindLastIndex(lines, line => line.Contains("128                160", StringComparison.Ordinal) && line.EndsWith("fp8_gemm_n4096_k7168_bf16_few64x64_split2", StringComparison.Ordinal));
        Assert.True(product > 0, text);
        Assert.Matches(@"^M 64, N 4096, K 7168: \d+\.\d us, bound by \w+ \(math \d+\.\d, L2 \d+\.\d, memory \d+\.\d\)$", lines[product + 1]);
        Assert.Matches(@"^rather than \d+\.\d us, bound by \w+: fp8_gemm_n4096_k7168_bf16_(64x64|few64x\d+_split\d)$", lines[product + 2]);
        Assert.Contains("not measured", text);
    }

    [Fact]
    public void Products_of_BF16_are_explained_as_well()
    {
        var (exit, text) = Build("--precision", "bf16", "--explain", "kernels");
        Assert.Equal(ExitCode.Success, exit);
        Assert.Matches(@"bf16_gemm_y_n24576_k1536_bf16_128x256\n +M 512, N 24576, K 1536: \d+\.\d us, bound by math \(.*\)\n +rather than \d+\.\d us, bound by \w+: bf16_gemm_y_n24576_k1536_bf16_128x128\n", text);
    }

    [Fact]
    public void Where_nothing_is_modelled_no_time_is_spoken_of()
    {
        var (exit, text) = Build("--precision", "bf16", "--target", "sm_80", "--explain", "kernels");
        Assert.Equal(ExitCode.Success, exit);
        Assert.Contains("gemm_n4096_k7168_bf16_bf16_bf16", text);
        Assert.DoesNotContain("Times are", text);
    }

    [Fact]
    public void Other_topics_are_refused() => Assert.Equal(ExitCode.Usage, Build("--explain", "shapes").Exit);

    private (int Exit, string Text) Build(params string[] options)
    {
        var run = Dsmc.Run(["build", Repository.PathTo("samples/deepseek-v3/deepseek-v3.dsm"), "-o", _folder.Path, .. options]);
        return (run.ExitCode, run.Out);
    }
}
