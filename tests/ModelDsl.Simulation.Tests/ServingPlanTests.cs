using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Serving;
using ModelDsl.Testing;

namespace ModelDsl.Simulation.Tests;

/// <summary>DeepSeek-V3's own deployment: published bounds, and the plan within reach of what was measured.</summary>
public class ServingPlanTests
{
    /// <summary>ISCA 2025, section 2.3.2: 120.96 us and 14.76 ms over 50 GB/s, 6.72 us and 0.82 ms over 900 GB/s.</summary>
    [Theory]
    [InlineData("50 GB/s", 120.96, 14.76, 67)]
    [InlineData("900 GB/s", 6.72, 0.82, 1219)]
    public void The_time_per_token_has_the_published_floor(string nic, double exchange, double token, int perSecond)
    {
        var bound = Plan(null, $"H800x2048.node.nic={nic}").Bound!;
        Assert.Equal(exchange, bound.ExchangeSeconds * 1e6, 0.001);
        Assert.Equal(token, Math.Round(bound.TokenSeconds * 1e3, 2));
        Assert.Equal(perSecond, (int)bound.TokensPerSecond);
    }

    [Fact]
    public void The_floor_with_the_real_width_is_higher()
    {
        var plan = Plan();
        Assert.Equal((15.11, 66.2), (Math.Round(plan.ExactBound!.TokenSeconds * 1e3, 2), Math.Round(plan.ExactBound.TokensPerSecond, 1)));
        Assert.Equal(0.82, Math.Round(plan.NvlinkBound!.TokenSeconds * 1e3, 2));
    }

    /// <summary>
    /// One expert of 58 layers, a quarter of attention, dense layers and shared experts whole, FP8; embedding and head BF16; the MTP module
    /// with one expert. Nine tenths of the memory less those, over 70,272 bytes a token, in pages of 64.
    /// </summary>
    [Fact]
    public void The_cache_takes_what_weights_leave()
    {
        var memory = Plan().Decode!.Memory;
        const double Expert = 3.0 * 7168 * 2048, Attention = 187_107_328 + 2 * 7168, Embedding = 129_280.0 * 7168;
        var dense = 3 * 3.0 * 7168 * 18432 + 58 * (Expert + 256 * 7168 + 256);
        var module = Attention + 2 * Expert + 256 * 7168 + 256 + 2.0 * 7168 * 7168 + 3 * 7168;
        var weights = 58 * Expert + (61 * Attention + 7168) / 4 + dense + 2 * Embedding * 2 + module;
        Assert.Equal(weights, memory.WeightBytes, weights * 1e-4);
        var tokens = (0.9 * 80e9 - memory.WeightBytes) / 70_272;
        Assert.Equal(Math.Floor(tokens / 64) * 64, memory.KvTokensPerGpu);
        Assert.Equal(80 * memory.KvTokensPerGpu, memory.KvTokensPerUnit);
        Assert.InRange(memory.KvTokensPerGpu, 800_000, 870_000);
    }

    /// <summary>V3 report: 1.8 times as fast with 85 to 90 % accepted.</summary>
    [Theory]
    [InlineData(0.85, 1.775)]
    [InlineData(0.875, 1.80)]
    [InlineData(0.9, 1.825)]
    public void Drafting_gains_what_was_published(double acceptance, double speedUp)
    {
        var draft = Plan(new ServingOptions(Acceptance: acceptance)).Decode!.Draft!;
        Assert.Equal(1 + acceptance, draft.TokensPerStep, 1e-9);
        Assert.Equal(speedUp, draft.SpeedUp, 0.015);
        Assert.Null(Plan(null, "Online.decode.speculate=none").Decode!.Draft);
    }

    /// <summary>Measured on H800: 73.7 thousand tokens/s per node read with cache hits, 62.7 in the profile; 14.8 thousand written, 18.6 in the profile.</summary>
    [Fact]
    public void Throughput_is_in_reach_of_what_was_measured()
    {
        var balanced = new ServingOptions(Loads: RoutingLoad.Balanced);
        var prefill = Plan(balanced).Prefill!;
        Assert.InRange(prefill.Rate.TokensPerSecondPerNode, 62_713, 110_000);
        Assert.Equal(4, prefill.Rate.NodesPerToken);
        // As it was served later: 144 GPUs, attention on each by itself.
        var decode = Plan(
            balanced, "Online.decode.unit=18 nodes", "Online.decode.attention=parallel(tensor: 1, data: 144)",
            "Online.decode.experts=parallel(expert: 144, redundant: 32)").Decode!;
        Assert.InRange(decode.Operating.TokensPerSecondPerNode, 14_800, 30_000);
        Assert.True(decode.Operating.TokenSeconds <= 0.05);
    }

    [Fact]
    public void Measurements_are_named_for_what_was_measured_and_for_nothing_else()
    {
        Assert.Equal([73_700, 62_713, 14_800, 18_598], PublishedServing.Of(Plan().Serve).Select(measured => measured.TokensPerSecondPerNode));
        Assert.Empty(PublishedServing.Of(Plan(null, "H800x2048.gpu=h200").Serve));
        Assert.Empty(PublishedServing.Of(Plan(null, "DeepSeekV3.vocabulary=100000").Serve));
    }

    [Fact]
    public void More_requests_take_longer_and_give_more_until_the_cache_is_full()
    {
        var decode = Plan().Decode!;
        var (users, nodes) = (decode.Curve.Select(point => point.TokensPerSecondPerUser).ToArray(), decode.Curve.Select(point => point.TokensPerSecondPerNode).ToArray());
        Assert.Equal(users.OrderDescending(), users);
        Assert.Equal(nodes.Order(), nodes);
        Assert.True(decode.Curve[^1].CacheTokensPerGpu * 2 > decode.Memory.KvTokensPerGpu);
        Assert.All(decode.Curve, point => Assert.True(point.TokenSeconds >= Math.Max(point.ComputeSeconds, point.NetworkSeconds) / point.TokensPerStep));
    }

    [Fact]
    public void Without_taking_turns_computing_and_sending_add_up()
    {
        var together = Plan().Decode!.Curve[4];
        var apart = Plan(null, "Online.decode.overlap=none").Decode!.Curve[4];
        Assert.Equal(Math.Max(together.ComputeSeconds, together.NetworkSeconds), together.StepSeconds);
        Assert.Equal(together.ComputeSeconds + together.NetworkSeconds, apart.StepSeconds, 1e-12);
    }

    /// <summary>Prefill: 8 groups on 4 nodes, so that copies stay within nodes; decode: 8 groups on 40 nodes, so that they cannot.</summary>
    [Fact]
    public void Copies_of_busy_experts_even_the_load()
    {
        var plan = Plan();
        var (prefill, decode) = (plan.Prefill!.Experts!, plan.Decode!.Experts!);
        Assert.Equal((256, 32, 32), (prefill.Experts, prefill.Redundant, prefill.Ranks));
        Assert.True(prefill.ByNode < prefill.Without && prefill.Global < prefill.Without);
        Assert.True(prefill.Global <= prefill.ByNode);
        Assert.Null(decode.ByNode);
        Assert.Null(decode.Without);
        Assert.InRange(Plan(new ServingOptions(Loads: RoutingLoad.Balanced)).Prefill!.Experts!.Global, 1, 1.34);
    }

    /// <summary>671 GB of FP8 weights: not on the 640 GB of one node, and the rest has to fit as well.</summary>
    [Fact]
    public void The_smallest_unit_holds_the_model_and_one_sequence()
    {
        var smallest = Plan().Prefill!.Smallest!;
        Assert.Equal((2, 16), (smallest.Nodes, smallest.Gpus));
        Assert.True(smallest.KvTokensPerGpu >= 163_840);
        Assert.Equal(1, Plan(null, "H800x2048.gpu=h200").Prefill!.Smallest!.Nodes);
    }

    /// <summary>No experts: nothing travels but prompts' caches, and nothing is infinite.</summary>
    [Fact]
    public void A_dense_model_has_no_floor_of_exchanges()
    {
        var program = FrontEnd.Bind(SourceText.From("dense.dsm", """
            model Dense {
              vocabulary = 32000
              hidden = 4096
              attention mla { heads = 32, kv_rank = 512, nope_dim = 128, rope_dim = 64, v_dim = 128, rope { theta = 10000 } }
              layers 0..31 { dense { width = 11008 } }
            }
            cluster One { gpu = h100, nodes = 1, node { gpus = 8, nvlink = 160 GB/s } }
            serve Chat {
              model = Dense
              precision = bf16
              cluster = One
              prefill { unit = 1 nodes, attention = parallel(tensor: 1, data: 8) }
              decode { unit = 1 nodes, attention = parallel(tensor: 1, data: 8) }
            }
            """));
        Assert.Empty(program.Diagnostics.Where(d => d.IsError).Select(d => d.Message));
        var plan = ServingPlan.Of(program.Serves.Single());
        Assert.Equal((null, null, null), (plan.Bound, plan.NvlinkBound, plan.Decode!.Experts));
        Assert.Equal(0, plan.Decode.Operating.NetworkSeconds);
        Assert.InRange(plan.Decode.Operating.TokensPerSecondPerNode, 1_000, 1_000_000);
        Assert.Equal((1, 8), (plan.Decode.Smallest!.Nodes, plan.Decode.Smallest.Gpus));
    }

    [Fact]
    public void What_does_not_fit_is_said()
    {
        var decode = Plan(new ServingOptions(Context: 1e9)).Decode!;
        Assert.False(decode.Operating.Fits);
        Assert.Empty(decode.Curve);
    }

    [Fact]
    public void Everything_assumed_has_its_source() =>
        Assert.All(Plan().Assumptions, assumption => Assert.False(string.IsNullOrWhiteSpace(assumption.Source), assumption.Name));

    private static ServingPlan Plan(ServingOptions? options = null, params string[] set)
    {
        var path = Repository.PathTo("samples", "deepseek-v3", "deepseek-v3.dsm");
        var program = FrontEnd.Bind(SourceText.From(path, File.ReadAllText(path)), new BindOptions([.. set]));
        Assert.False(program.HasErrors, string.Join('\n', program.Diagnostics.Where(d => d.IsError).Select(d => d.Message)));
        return ServingPlan.Of(program.Serves.Single(), options);
    }
}
