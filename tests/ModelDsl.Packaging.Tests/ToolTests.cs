using System.Text.Json;

namespace ModelDsl.Packaging.Tests;

/// <summary><c>dsmc</c> as a .NET tool.</summary>
[Collection(nameof(Stranger))]
public class ToolTests(Stranger stranger)
{
    [Fact]
    public void It_installs_checks_and_runs()
    {
        var workshop = stranger.Workshop;
        workshop.Expect(0, workshop.Root, "dotnet", "tool", "install", "dsmc", "--tool-path", workshop.PathTo("tools"));
        var dsmc = workshop.PathTo("tools", "dsmc");

        var broken = workshop.PathTo("broken.dsm");
        File.WriteAllText(broken, File.ReadAllText(Path.Combine(stranger.App, "tiny-v3.dsm")).Replace("active = 2", "active = 9"));
        using var found = JsonDocument.Parse(workshop.Expect(1, workshop.Root, dsmc, "check", "broken.dsm", "--format", "json"));
        var message = found.RootElement.EnumerateArray().Single();
        Assert.Equal("DSM0308", message.GetProperty("code").GetString());
        Assert.Equal(28, message.GetProperty("line").GetInt32());

        var (prompt, text) = Stranger.Golden("romeo");
        Assert.Equal(text, workshop.Expect(
            0, stranger.App, dsmc, "run", "tiny-v3.dsm", "--weights", "checkpoint", "--precision", "fp32", "--prompt", prompt, "--max-new", "64"));
    }
}
