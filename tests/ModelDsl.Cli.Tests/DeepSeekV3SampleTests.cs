using ModelDsl.Cli.Hosting;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary>The yardstick builds: clean PTX for its target, C# that compiles.</summary>
public sealed class DeepSeekV3SampleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [PtxasFact]
    public void EveryKernelAssemblesWithoutWarningOrSpill()
    {
        Build();
        var kernels = Directory.GetFiles(_folder.File("ptx"), "*.ptx");
        Assert.True(kernels.Length > 40);
        Parallel.ForEach(kernels, kernel => Ptxas.AssembleClean(File.ReadAllText(kernel), "sm_90a"));
    }

    [Fact]
    public void TheHostCompiles()
    {
        Build();
        Assert.NotNull(HostCompiler.Compile(File.ReadAllText(_folder.File("DeepSeekV3.g.cs")), "ModelDsl.Generated.DeepSeekV3"));
    }

    /// <summary>Every stage with its collectives: experts over 64 ranks, gradients over the 256 that hold a stage.</summary>
    [Fact]
    public void TheTrainingRunIsWrittenStageByStage()
    {
        var result = Dsmc.Run(
            "build", Repository.PathTo("samples/deepseek-v3/deepseek-v3.dsm"), "-o", _folder.Path, "--train", "Pretrain", "--emit", "training");
        Assert.Equal(ExitCode.Success, result.ExitCode);
        Assert.Equal(2 + 2 * 16, Directory.GetFiles(_folder.File("graph")).Length);
        string Read(int stage, string what) => File.ReadAllText(_folder.File(Path.Combine("graph", $"stage-{stage:00}.{what}.txt")));
        Assert.StartsWith("train {\n  %0 = embedding $ids", Read(0, "train"));
        Assert.Contains("recv from=4 slot=0 : f32[T,7168]", Read(5, "train"));
        Assert.Contains("to_experts over=expert x64 wire=e4m3 : f32[T*8,7168]", Read(5, "train"));
        Assert.Contains("to_tokens over=expert x64 wire=bf16 : f32[T*8,7168]", Read(5, "train"));
        Assert.Contains("reduce_scatter gradient\"head\" over=replica x256 : f32[3619840]", Read(15, "optimizer"));
        Assert.Contains("over=world x2048 : f32[]", Read(15, "optimizer"));
    }

    private void Build()
    {
        var result = Dsmc.Run("build", Repository.PathTo("samples/deepseek-v3/deepseek-v3.dsm"), "-o", _folder.Path);
        Assert.Equal((ExitCode.Success, true), (result.ExitCode, result.Out.StartsWith("DeepSeekV3, Fp8, sm_90a: ", StringComparison.Ordinal)));
    }
}
