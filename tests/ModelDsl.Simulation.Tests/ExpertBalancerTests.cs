using ModelDsl.Simulation.Experts;

namespace ModelDsl.Simulation.Tests;

public class ExpertBalancerTests
{
    private static readonly float[][] Published =
    [
        [90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86],
        [20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27],
    ];

    [Theory]
    [InlineData(0, "5 6 5 7 8 4 3 4 10 9 10 2 0 1 11 1", "1 2 1 1 2 2 1 1 1 1 2 1", "121.5 86.5 125 113 147.5 131.5 156 152")]
    [InlineData(1, "7 10 6 8 6 11 8 9 2 4 5 1 5 0 3 1", "1 2 1 1 1 2 2 1 2 1 1 1", "173 179.5 120.5 172 123 152 118.5 117.5")]
    public void The_published_example_is_placed_as_published(int layer, string slots, string counts, string loads)
    {
        var placement = ExpertBalancer.Balance(Published[layer], replicas: 16, groups: 4, nodes: 2, gpus: 8);
        Assert.Equal(slots, string.Join(' ', placement.PhysicalToLogical));
        Assert.Equal(counts, string.Join(' ', placement.ReplicaCounts));
        Assert.Equal(loads, string.Join(' ', placement.GpuLoads));
        if (layer == 0) Assert.Equal([[12], [15, 13], [11], [6], [7, 5], [0, 2], [1], [3], [4], [9], [8, 10], [14]], placement.LogicalToPhysical);
    }

    [Fact]
    public void Groups_that_nodes_cannot_share_are_balanced_over_all_of_them()
    {
        var placement = ExpertBalancer.Balance(Published[0], replicas: 16, groups: 3, nodes: 2, gpus: 8);
        Assert.Equal(ExpertBalancer.Balance(Published[0], 16, 1, 1, 8).PhysicalToLogical, placement.PhysicalToLogical);
    }

    [Fact]
    public void Nothing_is_lost_and_the_heaviest_GPU_is_no_heavier_than_without()
    {
        var random = new Random(5);
        for (var round = 0; round < 50; round++)
        {
            var loads = Enumerable.Range(0, 64).Select(_ => (float)Math.Pow(random.NextDouble(), 4) * 1000 + 1).ToArray();
            var placement = ExpertBalancer.Balance(loads, replicas: 80, groups: 8, nodes: 2, gpus: 16);
            Assert.Equal(loads.Sum(load => (double)load), placement.GpuLoads.Sum(), 1e-2);
            Assert.Equal(80, placement.ReplicaCounts.Sum());
            for (var expert = 0; expert < 64; expert++)
                Assert.All(placement.LogicalToPhysical[expert], slot => Assert.Equal(expert, placement.PhysicalToLogical[slot]));
            var plain = Enumerable.Range(0, 16).Max(gpu => loads.Skip(4 * gpu).Take(4).Sum(load => (double)load));
            Assert.InRange(placement.GpuLoads.Max(), 0, plain);

            // A group's experts stay within one node.
            for (var group = 0; group < 8; group++)
                Assert.Single(Enumerable.Range(8 * group, 8).SelectMany(expert => placement.LogicalToPhysical[expert]).Select(slot => slot / 40).Distinct());
        }
    }

    [Theory]
    [InlineData(12, 16, 5, 1, 8, "5 groups do not divide 12 experts")]
    [InlineData(12, 16, 4, 3, 8, "3 nodes do not divide 8 GPUs")]
    [InlineData(12, 17, 4, 2, 8, "8 GPUs do not divide 17 replicas")]
    [InlineData(12, 8, 4, 2, 8, "8 replicas are less than one for each of 12 experts")]
    [InlineData(12, 16, 4, 0, 8, "at least 1")]
    public void What_cannot_be_balanced_says_why(int experts, int replicas, int groups, int nodes, int gpus, string why) =>
        Assert.Contains(why, ExpertBalancer.Problem(experts, replicas, groups, nodes, gpus));
}
