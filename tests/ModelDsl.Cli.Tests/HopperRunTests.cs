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
