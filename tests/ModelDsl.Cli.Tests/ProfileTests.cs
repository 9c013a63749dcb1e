using System.Text.Json;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

/// <summary><c>dsmc run --profile</c>: the counts are exact, the times add up.</summary>
public class ProfileTests
{
    private static readonly string Sample = Repository.PathTo("samples", "tiny-v3", "tiny-v3.dsm");
    private static readonly string Weights = Repository.PathTo("samples", "tiny-v3", "checkpoint");

    [Fact]
    public void Every_launch_of_every_phase_is_counted_once()
    {
        using var folder = new TemporaryFolder();
        var trace = folder.File("trace.json");
        var run = Dsmc.Run("run", Sample, "--weights", Weights, "--prompt", "ROMEO:", "--max-new", "5", "--ignore-eos", "--json", "--profile", "--profile-trace", trace);
        Assert.Equal(ExitCode.Success, run.ExitCode);

        using var json = JsonDocument.Parse(run.Out);
        var phases = json.RootElement.GetProperty("profile").EnumerateArray().ToDictionary(phase => phase.GetProperty("phase").GetString()!);
        Assert.Equal(["start", "prefill", "decode", "sample"], phases.Keys);
        Assert.Equal([1, 1, 4, 5], phases.Values.Select(phase => phase.GetProperty("steps").GetInt32()));
        var launches = 0;
        foreach (var phase in phases.Values)
        {
            var kernels = phase.GetProperty("kernels").EnumerateArray().ToArray();
            var steps = phase.GetProperty("steps").GetInt32();
            Assert.All(kernels, kernel => Assert.Equal(0, kernel.GetProperty("launches").GetInt32() % steps));
            Assert.All(kernels, kernel => Assert.InRange(kernel.GetProperty("warp_instructions").GetInt64(), kernel.GetProperty("launches").GetInt32(), long.MaxValue));
            var inside = kernels.Sum(kernel => kernel.GetProperty("ms").GetDouble());
            Assert.Equal(phase.GetProperty("ms").GetDouble(), inside + phase.GetProperty("host_ms").GetDouble(), 0.01);
            Assert.InRange(phase.GetProperty("host_ms").GetDouble(), 0, double.MaxValue);
            launches += kernels.Sum(kernel => kernel.GetProperty("launches").GetInt32());
        }

        using var events = JsonDocument.Parse(File.ReadAllText(trace));
        Assert.Equal(launches, events.RootElement.GetProperty("traceEvents").GetArrayLength());
        Assert.Contains("decode: kernel", run.Error);
    }

    [Fact]
    public void Without_the_option_nothing_is_said_of_it()
    {
        var run = Dsmc.Run("run", Sample, "--weights", Weights, "--prompt", "ROMEO:", "--max-new", "1", "--json");
        Assert.Equal((ExitCode.Success, ""), (run.ExitCode, run.Error));
        Assert.DoesNotContain("profile", run.Out);
    }
}
