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
        Assert.Equal(5.33e6, At("cost.stages")[0].GetProperty("dollars").GetDouble(), 0.01e6);
    }

    /// <summary>The paths that programs rely on; src/ModelDsl.Simulation/plan.schema.json describes all.</summary>
    [Fact]
    public void TheWholePlanIsOneJsonObject()
    {
        using var json = JsonDocument.Parse(Dsmc.Run("plan", V3, "--json").Out);
        var root = json.RootElement;
        JsonElement At(string path) => path.Split('.').Aggregate(root, (at, name) => at.GetProperty(name));
        Assert.Equal(19.926, At("time.step_seconds").GetDouble(), 1.99);
        var sum = 0.0;
        foreach (var part in new[] { "f", "b", "w", "pairs", "bubble", "optimizer" }) sum += At($"time.{part}").GetDouble();
        Assert.Equal(At("time.planned_seconds").GetDouble(), sum, 1e-9);
        Assert.Equal(19.926 - sum, At("time.residual").GetDouble(), 1e-9);
        Assert.InRange(At("overlap.hidden_fraction").GetDouble(), 0.96, 1);
        var rank = At("memory.ranks")[0];
        Assert.InRange(rank.GetProperty("peak_bytes").GetDouble(), 60e9, 80e9);
        Assert.Equal(
            rank.GetProperty("peak_bytes").GetDouble(), rank.GetProperty("consumers").EnumerateObject().Sum(consumer => consumer.Value.GetDouble()), 1);
        Assert.Equal(4096 * 3.5 * 7392, At("network.dispatch.nic_bytes").GetDouble());
        Assert.Equal(5.576e6, At("cost.dollars").GetDouble(), 0.3e6);
        Assert.Equal(1.13, At("time.published.f").GetDouble());
        Assert.Equal(3, At("cost.stages").GetArrayLength());
        Assert.True(At("throughput.tokens_per_day").GetDouble() > 250e9);
    }

    /// <summary>Every member of the result is described, and what is required is there.</summary>
    [Fact]
    public void TheSchemaDescribesThePlan()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Repository.PathTo("src/ModelDsl.Simulation/plan.schema.json")));
        using var plan = JsonDocument.Parse(Dsmc.Run("plan", V3, "--json").Out);
        Check(plan.RootElement, schema.RootElement, "plan");

        void Check(JsonElement value, JsonElement rule, string path)
        {
            if (value.ValueKind == JsonValueKind.Array)
                foreach (var item in value.EnumerateArray()) Check(item, rule.GetProperty("items"), $"{path}[]");
            if (value.ValueKind != JsonValueKind.Object) return;
            if (rule.TryGetProperty("$ref", out var named)) rule = schema.RootElement.GetProperty("$defs").GetProperty(named.GetString()!.Split('/')[^1]);
            if (rule.TryGetProperty("required", out var required))
                foreach (var name in required.EnumerateArray()) Assert.True(value.TryGetProperty(name.GetString()!, out _), $"{path} has no {name}");
            foreach (var member in value.EnumerateObject())
                if (rule.TryGetProperty("properties", out var properties) && properties.TryGetProperty(member.Name, out var inner)) Check(member.Value, inner, $"{path}.{member.Name}");
                else Assert.True(rule.TryGetProperty("additionalProperties", out var others) && others.ValueKind == JsonValueKind.Object, $"{path}.{member.Name} is not described");
        }
    }

    [Fact]
    public void NodesWithoutAdaptersAreRefused()
    {
        var alone = _folder.Write("alone.dsm", string.Join('\n', File.ReadLines(V3).Where(line => !line.Contains("multi_plane_fat_tree"))));
        var result = Dsmc.Run("plan", alone, "--set", "H800x2048.node.nics=0");
        Assert.Equal(ExitCode.Diagnostics, result.ExitCode);
        Assert.Contains("nics=0:1:21: error DSM0426: the 256 nodes of H800x2048 have no network adapters", result.Error);
    }

    [Fact]
    public void PublishedLayerTimesGiveThePublishedPair()
    {
        var times = Repository.PathTo("samples/deepseek-v3/layer-times.json");
        using var json = JsonDocument.Parse(Dsmc.Run("plan", V3, "--layer-times", times, "--json").Out);
        var overlap = json.RootElement.GetProperty("overlap");
        Assert.Equal(129.0e-3, overlap.GetProperty("pair_seconds").GetDouble(), 129.0e-3 * 0.03);
        Assert.InRange(overlap.GetProperty("hidden_fraction").GetDouble(), 0.96, 1);
        Assert.Equal(4 * 10, overlap.GetProperty("segments").GetArrayLength());
    }

    [Theory]
    [InlineData("bubble", "(16/2 - 1) x (F&B + B - 3W)", "uneven stages")]
    [InlineData("memory", "activations", "were it missing", "put off", "Over the step, rank 7")]
    [InlineData("overlap", "combine B 0", "limited by nic")]
    [InlineData("time", "fp8_grouped_gemm", "which rank is not said")]
    [InlineData("cost", "thousand GPU hours x 2 $ =", "2664 thousand", "119 thousand", "5 thousand of post-training")]
    public void NumbersAreDerivedTermByTerm(string topic, params string[] said)
    {
        var result = Dsmc.Run("plan", V3, "--explain", topic);
        Assert.Equal(ExitCode.Success, result.ExitCode);
        Assert.All(said, text => Assert.Contains(text, result.Out));
    }

    [Theory]
    [InlineData("--layer-times", "{}", "has no 'attn_f'")]
    [InlineData("--layer-times", "[]", "no JSON object")]
    [InlineData("--layer-times", "{", "no JSON object")]
    [InlineData("--layer-times", """{"attn_f":-1}""", "'attn_f' should be microseconds")]
    [InlineData("--layer-times", """{"attn_f":1,"mlp_f":1,"mlp_b":1,"mlp_w":1,"attn_b":1,"attn_w":1,"dispatch_f":1,"dispatch_b":1,"combine_f":1,"combine_b":1,"extra":1}""", "'extra'")]
    [InlineData("--efficiency", "{}", "no JSON list")]
    [InlineData("--efficiency", """[{"class":"gemm"}]""", "'gemm' is no class; there are fp8_gemm")]
    [InlineData("--efficiency", """[{"class":"cast","value":2}]""", "at most 1")]
    [InlineData("--efficiency", """[{"class":"fp8_gemm","value":0.5,"n":4096}]""", "'n' and 'k' go together")]
    [InlineData("--efficiency", "[1]", "row 1")]
    [InlineData("--routing", "[[1,2]]", "the model has 256")]
    public void MeasurementsThatAreNoneAreRefused(string option, string text, string message)
    {
        var result = Dsmc.Run("plan", V3, option, _folder.Write("measured.json", text));
        Assert.Equal(ExitCode.Trouble, result.ExitCode);
        Assert.Contains(message, result.Error);
        Assert.DoesNotContain("mistake in dsmc", result.Error);
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
        Assert.Contains("fits              yes", result.Out);
    }

    [Theory]
    [InlineData(ExitCode.Usage, "four numbers", "--train", "Pretrain", "--times", "1,2,3")]
    [InlineData(ExitCode.Usage, "there are bubble, memory, overlap", "--explain", "everything")]
    [InlineData(ExitCode.Usage, "2 stages are given for a pipeline of 16", "--train", "Pretrain", "--stages", "30,31")]
    [InlineData(ExitCode.Usage, "at least one layer", "--train", "Pretrain", "--stages", "x,4,4,4,4,4,4,4,4,4,4,4,4,4,4,1")]
    [InlineData(ExitCode.Usage, "an exponent from 0 to 10", "--routing", "powerlaw:x")]
    [InlineData(ExitCode.Trouble, "cannot read 'absent.json'", "--layer-times", "absent.json")]
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
    public void WhatDoesNotFitIsPlannedAllTheSame()
    {
        string[] two = ["plan", V3, "--train", "Pretrain", "--set", "Pretrain.parallel.pipeline=2", "--set", "Pretrain.schedule.micro_batches=4"];
        var result = Dsmc.Run(two);
        Assert.Equal(ExitCode.Success, result.ExitCode);
        Assert.Contains("warning DSM0408: Pretrain needs 140 GB per GPU", result.Error);
        Assert.Contains("fits              NO", result.Out);
        using var json = JsonDocument.Parse(Dsmc.Run([.. two, "--json"]).Out);
        Assert.Equal(
            ["F0", "F1", "F0", "B1", "FB10", "B1", "Bi0", "W"],
            json.RootElement.GetProperty("schedule").GetProperty("ranks")[0].GetProperty("program").EnumerateArray().Select(op => op.GetString()!));
        Assert.Equal(ExitCode.Diagnostics, Dsmc.Run("check", V3, "--set", "Pretrain.parallel.pipeline=2").ExitCode);
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
    public void PlanOfADeploymentHasThePublishedFloorAndSaysWhatItRestsOn()
    {
        using var json = JsonDocument.Parse(Dsmc.Run("plan", V3, "--serve", "Online", "--json").Out);
        var serve = json.RootElement.GetProperty("serve");
        double At(string name) => serve.GetProperty(name).GetDouble();
        Assert.Equal(0.01476, At("tpot_bound_seconds"), 0.000005);
        Assert.Equal(67, Math.Floor(At("tpot_bound_tokens_per_second")));
        Assert.InRange(At("kv_tokens_per_gpu"), 800_000, 870_000);
        Assert.InRange(At("tokens_per_second_per_node"), 1_000, 40_000);
        Assert.True(At("tpot_seconds") <= 0.05);
        Assert.Equal(1.8, serve.GetProperty("mtp").GetProperty("speed_up").GetDouble(), 0.02);
        Assert.Equal(2, serve.GetProperty("prefill").GetProperty("smallest_unit").GetProperty("nodes").GetInt32());
        Assert.True(serve.GetProperty("decode").GetProperty("curve").GetArrayLength() > 4);
        Assert.Equal(16_384, json.RootElement.GetProperty("topology").GetProperty("endpoints").GetInt64());

        var text = Dsmc.Run("plan", V3, "--serve", "Online", "--set", "H800x2048.node.nic=900 GB/s").Out;
        Assert.Contains("no less than 0.82 ms, 1219 tokens/s, over 900 GB/s", text);
        Assert.Contains("ISCA 2025, section 4.3: 40 of 50 GB/s effective", text);
        Assert.Contains("decode 14,800 tokens/s per node: 144 GPUs", text);
    }

    [Theory]
    [InlineData("there is no serve 'Other'; declared are: Online", "--serve", "Other")]
    [InlineData("exclude each other", "--serve", "Online", "--train", "Pretrain")]
    [InlineData("--sweep and --search vary a training run", "--serve", "Online", "--search")]
    [InlineData("--explain is of one training plan", "--serve", "Online", "--explain", "time")]
    [InlineData("--acceptance 1.5", "--serve", "Online", "--acceptance", "1.5")]
    [InlineData("--latency 0", "--serve", "Online", "--latency", "0")]
    [InlineData("--context -1", "--serve", "Online", "--context", "-1")]
    [InlineData("--prompt 0", "--serve", "Online", "--prompt", "0")]
    public void PlanRefusesADeploymentItCannotMake(string message, params string[] arguments)
    {
        var result = Dsmc.Run(["plan", V3, .. arguments]);
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains(message, result.Error);
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
