using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Network;

namespace ModelDsl.Simulation.Tests;

/// <summary>V3 report, section 3.2.2: a token goes once to each of at most four nodes, then within the node.</summary>
public class AllToAllTests
{
    private static readonly TrainSpec Run = Runs.DeepSeekV3;

    private static AllToAll Plan(TrainSpec train, RoutingLoad? routing = null) =>
        AllToAll.Of(train, train.Model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().First(), routing ?? RoutingLoad.Balanced, EfficiencyTable.BuiltIn)!;

    [Fact]
    public void Bytes_are_those_of_four_nodes_and_eight_experts()
    {
        var plan = Plan(Run);
        Assert.Equal((8, 4.0, 3.5), (plan.Nodes, plan.NodesPerToken, plan.RemoteNodes));
        // FP8 with an FP32 scale for every 128 values, and BF16.
        Assert.Equal((7168 + 56 * 4, 7168 * 2), (plan.Dispatch.BytesPerToken, plan.Combine.BytesPerToken));
        Assert.Equal((4096 * 3.5 * 7392, 4096 * 3.5 * 14336), (plan.Dispatch.NicBytes, plan.Combine.NicBytes));
        Assert.Equal((4096 * 7.0 * 7392, 4096 * 7.0 * 14336), (plan.Dispatch.NvlinkBytes, plan.Combine.NvlinkBytes));
        // Without deduplication a token would cross for seven of its eight experts: twice as often.
        Assert.Equal(2, plan.WithoutDeduplication / plan.Dispatch.NicBytes, 1e-12);
        Assert.Equal((3.2, 10, "nic"), (plan.FreeExpertsPerNode, plan.Channels, plan.Dispatch.Bottleneck(Run.Cluster)));
    }

    /// <summary>2 x (dispatch + combine): the gradients go the same ways back.</summary>
    [Fact]
    public void A_layer_moves_its_exchanges_twice() => Assert.Equal(2 * 4096 * 3.5 * (7392 + 14336), Plan(Run).NicBytesPerLayer);

    /// <summary>DeepEP's 51 GB/s, in which the token's own node counts, and 1 ms of notice before it.</summary>
    [Fact]
    public void Alone_it_is_as_fast_as_the_published_library()
    {
        var plan = Plan(Run);
        Assert.Equal(1e-3 + 4096 * 4.0 * 7392 / 51e9, plan.Dispatch.Seconds, 1e-6);
        Assert.Equal(1e-3 + 4.35e-3, plan.Dispatch.SecondsBesideCompute, 1e-6);
        Assert.Equal(1e-3 + 6.18e-3, plan.Combine.SecondsBesideCompute, 1e-6);
    }

    [Fact]
    public void Fewer_multiprocessors_move_less()
    {
        double Beside(int sms) => Plan(Run with { Schedule = Run.Schedule with { CommSms = sms } }).Dispatch.SecondsBesideCompute;
        Assert.Equal(2 * (Beside(20) - 1e-3), Beside(10) - 1e-3, 1e-9);
        Assert.Equal(Beside(20), Beside(40));
    }

    [Fact]
    public void Warps_are_shared_by_what_their_roles_move()
    {
        var dispatch = Plan(Run).Roles.Where(role => role.Kernel == "dispatch").ToArray();
        Assert.Equal(["nic send", "nic to nvlink forward", "nvlink receive"], dispatch.Select(role => role.Name));
        Assert.Equal(32, dispatch.Sum(role => role.Warps));
        Assert.True(dispatch[0].Warps < dispatch[1].Warps);
    }

    [Fact]
    public void Within_a_node_nothing_goes_through_the_adapter()
    {
        var plan = Plan(Run with { Parallel = Run.Parallel with { Expert = 8 } });
        Assert.Equal((1, 0.0, 0.0), (plan.Nodes, plan.RemoteNodes, plan.Dispatch.NicBytes));
        Assert.Equal("nvlink", plan.Dispatch.Bottleneck(Run.Cluster));
    }

    [Theory]
    [InlineData(NumberFormat.LogFmt10, 1.3125)]
    [InlineData(NumberFormat.LogFmt8, 1.0625)]
    [InlineData(NumberFormat.E4M3, 1.03125)]
    public void Narrow_formats_travel_with_their_scales(NumberFormat format, double bytes)
    {
        var wire = Run.Precision.Wire! with { Combine = new ScaledFormat(format, ScaleRounding.Exact) };
        Assert.Equal(7168 * bytes, Plan(Run with { Precision = Run.Precision with { Wire = wire } }).Combine.BytesPerToken);
    }

    [Fact]
    public void Uneven_routing_fills_one_rank_more_than_the_others()
    {
        var moe = Run.Model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().First();
        Assert.Equal(1, RoutingLoad.PowerLaw(0, 256).Heaviest(64, moe), 1e-12);
        var (mild, steep) = (RoutingLoad.PowerLaw(0.5, 256).Heaviest(64, moe), RoutingLoad.PowerLaw(1.01, 256).Heaviest(64, moe));
        // The heaviest expert would get more tokens than there are: it gets all, which is eight times a rank's mean, and its rank some more.
        Assert.True(1 < mild && mild < steep && steep is > 8 and < 10, $"{mild} {steep}");

        // Ranks of two experts: 5 + 1 beside 1 + 1.
        var small = moe with { Routed = 4, Active = 1 };
        Assert.Equal(1.5, new RoutingLoad("recorded", [[5, 1, 1, 1]]).Heaviest(2, small), 1e-12);
        // An expert gets a token once at most: half of all that two experts each get.
        Assert.Equal((4 + 1) / ((4 + 1 + 1 + 1) / 2.0), new RoutingLoad("recorded", [[5, 1, 1, 1]]).Heaviest(2, small with { Active = 2 }), 1e-12);

        var plan = Plan(Run, RoutingLoad.PowerLaw(1.01, 256));
        Assert.Equal(steep, plan.RankLoad);
        Assert.Equal(4096 * 7.0 * 7392 * steep, plan.Dispatch.NvlinkBytes, 1);
    }
}
