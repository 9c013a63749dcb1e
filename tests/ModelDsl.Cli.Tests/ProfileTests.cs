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
            foreach (var kernel in kernels) Assert.Equal(kernel.GetProperty("warp_instructions").GetUInt64(), Sum(kernel.GetProperty("classes")));
            Assert.Equal((ulong)kernels.Sum(kernel => kernel.GetProperty("warp_instructions").GetInt64()), Sum(phase.GetProperty("classes")));
            launches += kernels.Sum(kernel => kernel.GetProperty("launches").GetInt32());
        }

        using var events = JsonDocument.Parse(File.ReadAllText(trace));
        Assert.Equal(launches + 11, events.RootElement.GetProperty("traceEvents").GetArrayLength());
        Assert.Contains("decode: kernel", run.Error);
        Assert.Matches("decode: class +warp instr. +share +mostly in\n(memory|integer|float|move)", run.Error);
        // What multiplies by fragments says so; what does not, does not.
        var prefill = phases["prefill"].GetProperty("kernels").EnumerateArray().ToLookup(kernel => kernel.GetProperty("classes").TryGetProperty("matrix", out _), kernel => kernel.GetProperty("name").GetString()!);
        Assert.Contains(prefill[true], name => name.StartsWith("gemm", StringComparison.Ordinal));
        Assert.Contains(prefill[false], name => name.Contains("norm"));
        Assert.DoesNotContain(prefill[true], name => name.Contains("norm"));
    }

    /// <summary>Bars of one row lie in one another or beside one another, as the viewers want it; their sums are those of the table.</summary>
    [Fact]
    public void The_trace_nests_launches_in_steps()
    {
        using var folder = new TemporaryFolder();
        var trace = folder.File("trace.json");
        var run = Dsmc.Run("run", Sample, "--weights", Weights, "--prompt", "ROMEO:", "--max-new", "3", "--ignore-eos", "--json", "--profile", "--trace", trace);
        Assert.Equal(ExitCode.Success, run.ExitCode);

        using var json = JsonDocument.Parse(File.ReadAllText(trace));
        var events = json.RootElement.GetProperty("traceEvents").EnumerateArray().Select(e => new
        {
            Name = e.GetProperty("name").GetString()!,
            Category = e.GetProperty("cat").GetString()!,
            Start = e.GetProperty("ts").GetDouble(),
            End = e.GetProperty("ts").GetDouble() + e.GetProperty("dur").GetDouble(),
            Json = e,
        }).ToArray();
        Assert.All(events, e => Assert.Equal("X", e.Json.GetProperty("ph").GetString()));
        Assert.Single(events.Select(e => (e.Json.GetProperty("pid").GetInt32(), e.Json.GetProperty("tid").GetInt32())).Distinct());
        var steps = events.Where(e => e.Category == "phase").ToArray();
        Assert.Equal(["start", "prefill", "sample", "decode", "sample", "decode", "sample"], steps.Select(step => step.Name));
        Assert.All(steps.Zip(steps.Skip(1)), pair => Assert.InRange(pair.Second.Start, pair.First.End - 0.2, double.MaxValue));
        var launches = events.Where(e => e.Category != "phase").ToArray();
        Assert.All(launches, launch => Assert.Single(steps, step => step.Name == launch.Category && step.Start <= launch.Start + 0.2 && launch.End <= step.End + 0.2));
        Assert.All(launches.Zip(launches.Skip(1)), pair => Assert.InRange(pair.Second.Start, pair.First.End - 0.2, double.MaxValue));

        using var result = JsonDocument.Parse(run.Out);
        foreach (var phase in result.RootElement.GetProperty("profile").EnumerateArray())
        {
            var mine = launches.Where(launch => launch.Category == phase.GetProperty("phase").GetString()).ToArray();
            foreach (var kernel in phase.GetProperty("kernels").EnumerateArray())
            {
                var same = mine.Where(launch => launch.Name == kernel.GetProperty("name").GetString()).ToArray();
                Assert.Equal(kernel.GetProperty("launches").GetInt32(), same.Length);
                Assert.Equal(kernel.GetProperty("ms").GetDouble(), same.Sum(launch => launch.End - launch.Start) / 1000, 0.001 * same.Length);
                Assert.Equal(kernel.GetProperty("warp_instructions").GetInt64(), same.Sum(launch => launch.Json.GetProperty("args").GetProperty("warp_instructions").GetInt64()));
                Assert.All(same, launch => Assert.Matches(@"^\(\d+, \d+, \d+\)$", launch.Json.GetProperty("args").GetProperty("block").GetString()));
            }
        }
    }

    [Fact]
    public void Without_the_option_nothing_is_said_of_it()
    {
        var run = Dsmc.Run("run", Sample, "--weights", Weights, "--prompt", "ROMEO:", "--max-new", "1", "--json");
        Assert.Equal((ExitCode.Success, ""), (run.ExitCode, run.Error));
        Assert.DoesNotContain("profile", run.Out);
    }

    private static ulong Sum(JsonElement classes) => classes.EnumerateObject().Aggregate(0UL, (sum, entry) => sum + entry.Value.GetUInt64());
}
