using System.Text.Json;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

public sealed class PlanWhatIfTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string V3 => Repository.PathTo("samples/deepseek-v3/deepseek-v3.dsm");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ASweepPlansEveryValueAndSaysWhyOneIsImpossible()
    {
        string[] sweep = ["plan", V3, "--train", "Pretrain", "--sweep", "parallel.pipeline=8,15,16"];
        using var json = JsonDocument.Parse(Dsmc.Run([.. sweep, "--json"]).Out);
        var points = json.RootElement.GetProperty("sweep").GetProperty("points");
        Assert.Equal(["8", "15", "16"], points.EnumerateArray().Select(point => point.GetProperty("values").GetProperty("parallel.pipeline").GetString()));
        Assert.Equal([true, false, true], points.EnumerateArray().Select(point => point.GetProperty("possible").GetBoolean()));
        Assert.Equal([false, true], points.EnumerateArray().Where(point => point.GetProperty("possible").GetBoolean()).Select(point => point.GetProperty("fits").GetBoolean()));

        using var plan = JsonDocument.Parse(Dsmc.Run("plan", V3, "--train", "Pretrain", "--set", "Pretrain.parallel.pipeline=8", "--json").Out);
        Assert.Equal(
            plan.RootElement.GetProperty("schedule").GetProperty("bubble_seconds").GetDouble(), points[0].GetProperty("bubble_seconds").GetDouble());

        var text = Dsmc.Run(sweep).Out;
        Assert.Contains("DSM0407: pipeline 15 x tensor 1 = 15 GPUs do not divide the cluster's 2048", text);
        Assert.Contains("##############################", text);
    }

    [Fact]
    public void SweepsCombineAndReachTheCluster()
    {
        using var json = JsonDocument.Parse(Dsmc.Run(
            "plan", V3, "--train", "Pretrain", "--sweep", "cluster.nodes=128,256", "--sweep", "parallel.expert=32,64", "--json").Out);
        var points = json.RootElement.GetProperty("sweep").GetProperty("points");
        Assert.Equal([1024, 1024, 2048, 2048], points.EnumerateArray().Select(point => point.GetProperty("gpus").GetInt32()));
        Assert.Equal(4, points.EnumerateArray().Select(point => point.GetProperty("step_seconds").GetDouble()).Distinct().Count());
    }

    [Theory]
    [InlineData("path=value,value is expected", "--sweep", "pipeline")]
    [InlineData("exclude each other", "--sweep", "parallel.pipeline=8", "--search")]
    [InlineData("--html is of one training plan", "--html", "page.html", "--search")]
    [InlineData("--trace is of one training plan", "--trace", "step.json", "--sweep", "parallel.pipeline=8")]
    [InlineData("more than 1000 plans", "--sweep", "a=1,2,3,4,5,6,7,8,9,10,11", "--sweep", "b=1,2,3,4,5,6,7,8,9,10", "--sweep", "c=1,2,3,4,5,6,7,8,9,10")]
    public void WhatIsNoSweepIsRefused(string message, params string[] arguments)
    {
        var result = Dsmc.Run(["plan", V3, "--train", "Pretrain", .. arguments]);
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains(message, result.Error);
    }

    [Fact]
    public void ASearchNamesWhatNoOtherLayoutBeats()
    {
        var file = _folder.Write("short.dsm", File.ReadAllText(V3) + """

            model Short from DeepSeekV3 { layers 0..2 { dense { width = 18432 } }, layers 3..11 { moe { routed = 32, width = 2048 } } }
            cluster H800x32 from H800x2048 { nodes = 4 }
            train Quick from Pretrain { model = Short, cluster = H800x32, batch = 960, parallel { pipeline = 4, expert = 8 } }
            """);
        using var json = JsonDocument.Parse(Dsmc.Run("plan", file, "--train", "Quick", "--search", "--json").Out);
        var search = json.RootElement.GetProperty("search");
        var front = search.GetProperty("front").EnumerateArray().ToArray();
        Assert.NotEmpty(front);
        Assert.All(front, layout => Assert.True(layout.GetProperty("memory_bytes").GetDouble() <= 80e9));
        Assert.Equal("dualpipe", search.GetProperty("own").GetProperty("schedule").GetString());
        var text = Dsmc.Run("plan", file, "--train", "Quick", "--search").Out;
        Assert.Contains($"{front.Length} that no other beats in step time, memory and GPUs at once", text);
        Assert.Contains("own: the file's layout", text);
    }

    [Fact]
    public void APageOfAVeryLongStepSaysWhatItLeavesOut()
    {
        var file = Path.Combine(_folder.Path, "plan.html");
        Dsmc.Run("plan", V3, "--train", "Pretrain", "--set", "Pretrain.schedule.micro_batches=8000", "--html", file);
        var page = File.ReadAllText(file);
        Assert.Contains("Drawn are the first 6,250 of up to ", page);
        Assert.DoesNotContain("https:", page.Replace("http://www.w3.org/2000/svg", ""));
        Assert.InRange(page.Length, 1_000_000, 20_000_000);
    }

    [Fact]
    public void ATraceHasEveryOpOfEveryRankTheLanesOfAPairAndTheMemory()
    {
        var file = Path.Combine(_folder.Path, "step.json");
        using var plan = JsonDocument.Parse(Dsmc.Run("plan", V3, "--train", "Pretrain", "--json", "--trace", file).Out);
        using var trace = JsonDocument.Parse(File.ReadAllText(file));
        var events = trace.RootElement.GetProperty("traceEvents").EnumerateArray().ToArray();
        JsonElement[] Of(string phase, int process) =>
            [.. events.Where(e => e.GetProperty("ph").GetString() == phase && e.GetProperty("pid").GetInt32() == process)];
        var ops = Of("X", 1);
        Assert.Equal(plan.RootElement.GetProperty("schedule").GetProperty("ranks").EnumerateArray().Sum(rank => rank.GetProperty("program").GetArrayLength()), ops.Length);
        Assert.Equal(16, ops.Select(op => op.GetProperty("tid").GetInt32()).Distinct().Count());
        Assert.Equal("F0 #0", ops[0].GetProperty("name").GetString());
        Assert.Equal(
            plan.RootElement.GetProperty("schedule").GetProperty("makespan_seconds").GetDouble() * 1e6,
            ops.Max(op => op.GetProperty("ts").GetDouble() + op.GetProperty("dur").GetDouble()), 1.0);
        Assert.Equal(["combine B", "attn F", "mlp B"], Of("X", 2).Take(3).Select(segment => segment.GetProperty("name").GetString()));
        Assert.Equal(ops.Length, Of("C", 3).Length);
        Assert.True(Of("C", 3)[0].GetProperty("args").GetProperty("weights").GetDouble() > 5);
    }
}
