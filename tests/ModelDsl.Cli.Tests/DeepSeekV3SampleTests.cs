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

    private void Build()
    {
        var result = Dsmc.Run("build", Repository.PathTo("samples/deepseek-v3/deepseek-v3.dsm"), "-o", _folder.Path);
        Assert.Equal((ExitCode.Success, true), (result.ExitCode, result.Out.StartsWith("DeepSeekV3, Fp8, sm_90a: ", StringComparison.Ordinal)));
    }
}
