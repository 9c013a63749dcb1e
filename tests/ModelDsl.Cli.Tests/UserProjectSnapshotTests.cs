using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary>The snapshot test that samples/user-project has, as its README tells it. <c>DSM_ACCEPT=1</c> accepts.</summary>
public sealed class UserProjectSnapshotTests
{
    [Fact]
    public void TheKernelsOfTheUserProjectAreThoseThatWereAccepted()
    {
        string[] command = ["snapshot", Repository.PathTo("samples/tiny-v3/tiny-v3.dsm"), "--precision", "fp32", "-o", Repository.PathTo("samples/user-project/snapshots")];
        var accepts = Environment.GetEnvironmentVariable("DSM_ACCEPT") == "1";
        var result = Dsmc.Run([.. command, .. accepts ? Array.Empty<string>() : ["--check"]]);
        Assert.True(result.ExitCode == ExitCode.Success, $"{result.Out}{result.Error}Accept with: dsmc {string.Join(' ', command)}");
    }
}
