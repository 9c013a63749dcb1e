using System.Text.Json;
using ModelDsl.Testing;

namespace ModelDsl.Cli.Tests;

public sealed class PlanVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string V3 => Repository.PathTo("samples/deepseek-v3/deepseek-v3.dsm");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void PlanSaysWhatARunIsMadeOfAndWhatMeasuredTimesComeTo()
    {
        using var json = JsonDocument.Parse(Dsmc.Run("plan", V3, "--train", "Pretrain", "--times", "1,1,1,2.5", "--step", "19.926", "--json").Out);
        var root = json.RootElement;
        JsonElement At(string path) => path.Split('.').Aggregate(root, (at, name) => at.GetProperty(name));
        Assert.Equal(671_026_419_200, At("model.parameters.total").GetInt64());
        Assert.Equal(70_272, At("model.kv_bytes_per_token").GetInt64());
        Assert.Equal(249.81, At("model.gflops_per_token.causal").GetDouble(), 0.005);
        Assert.Equal(("dualpipe", 17), (At("schedule.name").GetString(), At("schedule.peak_live_chunks").GetInt32()));
        Assert.Equal((10.5, 319.0), (At("schedule.bubble_seconds").GetDouble(), At("schedule.makespan_seconds").GetDouble()));
        Assert.Equal(16, At("schedule.ranks").GetArrayLength());
        Assert.Equal("F0", At("schedule.ranks")[3].GetProperty("program")[0].GetString());
        Assert.Equal(0.4373, At("throughput.mfu_noncausal").GetDouble(), 1e-4);
        Assert.Equal(5.33e6, At("cost.dollars").GetDouble(), 0.01e6);
    }

    [Fact]
    public void PlanShowsTheNetworkOfTheCluster()
    {
        using var json = JsonDocument.Parse(Dsmc.Run("plan", V3, "--train", "Pretrain", "--json").Out);
        var topology = json.RootElement.GetProperty("topology");
        long At(string name) => topology.GetProperty(name).GetInt64();
        Assert.Equal((16_384, 768, 16_384), (At("endpoints"), At("switches"), At("links")));
        Assert.Equal(72, Math.Round(topology.GetProperty("cost").GetDouble() / 1e6));
        Assert.Equal(2_048, topology.GetProperty("used").GetProperty("endpoints").GetInt64());
        var slim = Dsmc.Run("plan", V3, "--train", "Pretrain", "--set", "H800x2048.network=slim_fly(radix: 64)").Out;
        Assert.Contains("up to 32,928 endpoints with 1,568 switches and 32,928 links between them, 145.5 M$", slim);
        Assert.Contains("any others                                             3       4   3.70 us", slim);
    }

    [Fact]
    public void MicroBatchesCanBeSetAndTheTextReadsWell()
    {
        var result = Dsmc.Run("plan", V3, "--train", "Pretrain", "--set", "Pretrain.schedule.micro_batches=40");
        Assert.Equal(ExitCode.Success, result.ExitCode);
        Assert.Contains("128 pipelines x 40 micro-batches x 4096", result.Out);
        Assert.Contains("671.026 B, 37.552 B active per token, MTP 11.610 B more", result.Out);
        Assert.DoesNotContain("measured", result.Out);
    }

    [Theory]
    [InlineData(ExitCode.Usage, "four numbers", "--train", "Pretrain", "--times", "1,2,3")]
    [InlineData(ExitCode.Usage, "above 0", "--train", "Pretrain", "--step", "0")]
    [InlineData(ExitCode.Usage, "there is no train 'Other'; declared are: Pretrain", "--train", "Other")]
    [InlineData(ExitCode.Diagnostics, "micro_batches=33:1:33: error DSM0422: dualpipe wants an even number of micro-batches, not 33", "--train", "Pretrain", "--set", "Pretrain.schedule.micro_batches=33")]
    [InlineData(ExitCode.Diagnostics, "= use micro_batches = 32 or 34", "--train", "Pretrain", "--set", "Pretrain.schedule.micro_batches=33")]
    [InlineData(ExitCode.Diagnostics, "nodes=1e30:1:25: error DSM0205", "--train", "Pretrain", "--set", "cluster.H800x2048.nodes=1e30")]
    public void PlanRefusesWhatItCannotDo(int exitCode, string message, params string[] arguments)
    {
        var result = Dsmc.Run(["plan", V3, .. arguments]);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(message, result.Error);
    }

    [Fact]
    public void EverythingImpossibleIsSaidAtOnceWhereItWasAsked()
    {
        var result = Dsmc.Run("plan", V3, "--train", "Pretrain", "--set", "Pretrain.parallel.pipeline=15", "--set", "Pretrain.parallel.expert=48",
            "--set", "Pretrain.schedule.micro_batches=20", "--set", "Pretrain.schedule.comm_sms=132");
        Assert.Equal(ExitCode.Diagnostics, result.ExitCode);
        foreach (var code in new[] { "pipeline=15:1:28: error DSM0405", "expert=48:1:26: error DSM0402", "micro_batches=20:1:33: error DSM0406", "comm_sms=132:1:28: error DSM0424", "DSM0407" })
            Assert.Contains(code, result.Error);
        Assert.Equal("", result.Out);
    }

    [Fact]
    public void AClusterCanBeHalved()
    {
        var result = Dsmc.Run("plan", V3, "--train", "Pretrain", "--set", "cluster.H800x2048.nodes=128");
        Assert.Equal(ExitCode.Success, result.ExitCode);
        Assert.Contains("on 1024 GPUs of H800x2048", result.Out);
        Assert.Contains("64 pipelines x 240 micro-batches", result.Out);
    }

    [Fact]
    public void BalanceWritesThePublishedPlacement()
    {
        var loads = _folder.Write("loads.json", "[[90,132,40,61,104,165,39,4,73,56,183,86],[20,107,104,64,19,197,187,157,172,86,16,27]]");
        string[] balance = ["plan", "balance", "--loads", loads, "--groups", "4", "--nodes", "2", "--gpus", "8"];
        using var json = JsonDocument.Parse(Dsmc.Run([.. balance, "--replicas", "16", "--json"]).Out);
        Assert.Equal(
            "[5,6,5,7,8,4,3,4,10,9,10,2,0,1,11,1]", json.RootElement.GetProperty("physical_to_logical")[0].GetRawText());
        Assert.Equal("[12,-1]", json.RootElement.GetProperty("logical_to_physical")[0][0].GetRawText());
        Assert.Equal("[173,179.5,120.5,172,123,152,118.5,117.5]", json.RootElement.GetProperty("gpu_loads")[1].GetRawText());
        Assert.Contains("heaviest GPU 156, mean 129.13 (1.208x)", Dsmc.Run([.. balance, "--replicas", "16"]).Out);

        var refused = Dsmc.Run([.. balance, "--replicas", "17"]);
        Assert.Equal((ExitCode.Usage, "dsmc: 8 GPUs do not divide 17 replicas\n"), (refused.ExitCode, refused.Error));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("[[1,-2]]")]
    [InlineData("[[1,null]]")]
    [InlineData("not json")]
    public void BalanceRefusesWhatIsNoListOfLoads(string text)
    {
        var result = Dsmc.Run("plan", "balance", "--loads", _folder.Write("loads.json", text), "--replicas", "2", "--gpus", "2");
        Assert.Equal(ExitCode.Trouble, result.ExitCode);
        Assert.DoesNotContain("mistake in dsmc", result.Error);
    }
}
