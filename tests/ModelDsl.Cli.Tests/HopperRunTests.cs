using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary>The model of the sample under FP8, its prefill by the kernels of Hopper's own and by those that every target has.</summary>
public sealed class HopperRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Both sum products in order of the depth and promote every 128, so that not a bit differs.</summary>
    [Fact]
    public void Kernels_of_its_own_give_the_same_logits()
    {
        var (portable, hopper) = (Logits("sm_89"), Logits("sm_90a"));
        Assert.NotEmpty(portable);
        Assert.Equal(portable, hopper);
    }

    /// <summary>Decoding deals depth out to blocks that bring their sums together in scratch memory, launch after launch.</summary>
    [Fact]
    public void Few_rows_at_a_time_they_write_the_same_text()
    {
        string Text(string target)
        {
            var run = Dsmc.Run(
                "run", Repository.PathTo("samples", "tiny-v3", "tiny-v3.dsm"), "--weights", Repository.PathTo("samples", "tiny-v3", "checkpoint"), "--prompt", "KING RICHARD III",
                "--max-new", "32", "--precision", "fp8", "--target", target);
            Assert.Equal(0, run.ExitCode);
            return run.Out;
        }
        var text = Text("sm_90a");
        Assert.Contains("KING RICHARD III:\nWhy, then, I have tooke to my cousin?\n\nNORFOLK:\nAy, my lord.", text);
        Assert.Equal(Text("sm_89"), text);
    }

    private float[] Logits(string target)
    {
        var (sample, path) = (Repository.PathTo("samples", "tiny-v3", "tiny-v3.dsm"), _folder.File($"{target}.safetensors"));
        var run = Dsmc.Run(
            "run", sample, "--weights", Repository.PathTo("samples", "tiny-v3", "checkpoint"), "--prompt", "The king has spoken, and his word is law: let all who hear it now obey.",
            "--precision", "fp8", "--target", target, "--logits", path, "--profile");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(target == "sm_90a", (run.Out + run.Error).Contains("fp8_gemm_n192_k80_bf16_64x64", StringComparison.Ordinal));
        return Safetensors.Load(path).Values.Single().Floats();
    }
}
