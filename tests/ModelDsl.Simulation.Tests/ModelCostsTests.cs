using ModelDsl.Compiler.Tests.Lowering;
using ModelDsl.Simulation.Costs;

namespace ModelDsl.Simulation.Tests;

/// <summary>Published figures, from the graph.</summary>
public class ModelCostsTests
{
    [Theory]
    [InlineData("V3", 671_026_419_200, 37.552, 36.626, 35.699, 70_272)]
    [InlineData("V2", 235_741_434_880, 21.376, 20.852, 20.327, 69_120)]
    [InlineData("V2Lite", 15_706_484_224, 2.661, 2.451, 2.242, 31_104)]
    public void Parameters_and_cache_are_those_published(string name, long total, double active, double noEmbedding, double neither, long kv)
    {
        var costs = ModelCosts.Of(name switch { "V3" => Models.V3, "V2" => Models.V2, _ => Models.V2Lite }, 4096);
        Assert.Equal((total, kv), (costs.Parameters, costs.KvBytesPerToken));
        Assert.Equal(active, costs.Active / 1e9, 5e-4);
        Assert.Equal(noEmbedding, (costs.Active - costs.Embedding) / 1e9, 5e-4);
        Assert.Equal(neither, (costs.Active - 2 * costs.Embedding) / 1e9, 5e-4);
        Assert.Equal(name == "V3" ? 11_610_068_224 : 0, costs.Mtp);
    }

    [Fact]
    public void Training_costs_the_published_flops()
    {
        var costs = ModelCosts.Of(Models.V3, 4096);
        Assert.Equal(249.81, costs.TrainingFlopsCausal / 1e9, 0.005);
        Assert.Equal(280.51, costs.TrainingFlopsNonCausal / 1e9, 0.005);
    }

    /// <summary>ISCA 2025, table 4: both networks.</summary>
    [Theory]
    [InlineData(19.926, 272.80, 0.3894, 0.4373)]
    [InlineData(19.946, 272.52, 0.3890, 0.4368)]
    public void The_measured_step_gives_the_published_speed_and_price(double step, double tokensPerDay, double causal, double nonCausal)
    {
        var plan = TrainingPlan.Of(Runs.DeepSeekV3, new PlanOptions(StepSeconds: step));
        Assert.Equal((128, 120, 62_914_560), (plan.DataParallel, plan.Schedule.MicroBatches, plan.TokensPerStep));
        Assert.Equal(tokensPerDay, plan.Throughput.TokensPerDay / 1e9, 0.02);
        Assert.Equal(causal, plan.Throughput.MfuCausal, 2e-4);
        Assert.Equal(nonCausal, plan.Throughput.MfuNonCausal, 2e-4);

        // The published 180 thousand GPU hours for every trillion tokens, 2.664 million for 14.8.
        Assert.Equal(180e3, plan.Throughput.GpuHoursPerTrillion, 0.5e3);
        Assert.Equal(2.664e6, plan.Cost.Stages[0].GpuHours, 0.01e6);
        Assert.Equal(5.328e6, plan.Cost.Stages[0].Dollars!.Value, 0.02e6);
    }
}
