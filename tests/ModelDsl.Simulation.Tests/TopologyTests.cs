using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Simulation.Topologies;

namespace ModelDsl.Simulation.Tests;

/// <summary>Networks as published (ISCA 2025, tables 3 and 5), and against graphs that are built link by link.</summary>
public class TopologyTests
{
    [Theory]
    [InlineData("fat_tree(layers: 2, radix: 64)", 2_048, 96, 2_048, 9, 4.39, 2)]
    [InlineData("multi_plane_fat_tree(planes: 8, radix: 64)", 16_384, 768, 16_384, 72, 4.39, 2)]
    [InlineData("fat_tree(layers: 3, radix: 64)", 65_536, 5_120, 131_072, 491, 7.5, 1)]
    [InlineData("slim_fly(radix: 64)", 32_928, 1_568, 32_928, 146, 4.4, 1)]
    [InlineData("dragonfly(radix: 64)", 261_632, 16_352, 384_272, 1_522, 5.8, 1)]
    public void Sizes_and_costs_are_those_published(
        string network, long endpoints, long switches, long links, double millions, double thousandsEach, int decimals)
    {
        var topology = Of(network);
        Assert.Equal((endpoints, switches, links), (topology.Full.Endpoints, topology.Full.Switches, topology.Full.Links));
        Assert.Equal(millions, Math.Round(topology.Dollars / 1e6));
        Assert.Equal(thousandsEach, Math.Round(topology.Dollars / endpoints / 1e3, decimals));
    }

    /// <summary>2,048 GPUs take one two-layer fat tree's worth of switches, in eight planes of 256 endpoints.</summary>
    [Fact]
    public void A_cluster_takes_what_it_needs()
    {
        var topology = Of("multi_plane_fat_tree(planes: 8, radix: 64)");
        Assert.Equal(new NetworkCounts(2_048, 96, 2_048), topology.Used);
        Assert.Equal(9, Math.Round(topology.UsedDollars / 1e6));
        Assert.Equal(new NetworkCounts(2_048, 160, 4_096), Of("multi_rail_fat_tree(rails: 8, radix: 64)").Used);
        Assert.Equal(4 * 32, Of("dragonfly(radix: 64)").Used.Switches);
    }

    [Theory]
    [InlineData("infiniband", 2.8, 3.7)]
    [InlineData("roce", 3.6, 5.6)]
    public void Latencies_are_those_published(string fabric, double sameLeaf, double otherLeaf)
    {
        var paths = Of($"fat_tree(layers: 2, radix: 64, fabric: {fabric})").Paths;
        Assert.Equal([(0, 0, 3.33), (1, 2, sameLeaf), (3, 4, otherLeaf)],
            paths.Select(path => (path.Switches, path.Links, Math.Round(path.Seconds * 1e6, 6))));
        var planes = Of($"multi_plane_fat_tree(planes: 8, radix: 64, fabric: {fabric})").Paths;
        Assert.Equal(otherLeaf + 3.33, planes.Single(path => path.Name.StartsWith("another plane, another leaf", StringComparison.Ordinal)).Seconds * 1e6, 1e-6);
    }

    [Fact]
    public void Closed_forms_count_what_a_graph_has()
    {
        void Same(SwitchGraph graph, string network, int diameter)
        {
            var topology = Of(network, nodes: 1, nics: 1);
            Assert.Equal((topology.Full.Endpoints, topology.Full.Switches, topology.Full.Links), (graph.Endpoints, graph.Switches, graph.LinkCount));
            Assert.Equal(diameter, graph.Diameter());
            Assert.Equal(diameter, topology.Paths.Max(path => path.Switches));
        }

        Same(SwitchGraph.FatTree(8), "fat_tree(layers: 2, radix: 8)", 3);
        Same(SwitchGraph.FatTree3(4), "fat_tree(layers: 3, radix: 4)", 5);
        Same(SwitchGraph.Dragonfly(2, 4, 2), "dragonfly(radix: 8, groups: 9)", 4);
        Same(SwitchGraph.SlimFly(5, 4), "slim_fly(radix: 11)", 3);
    }

    /// <summary>A two-layer fat tree of 8-port switches: leaves are nodes 0..7 of the graph, top switches 8..11.</summary>
    [Fact]
    public void Failures_leave_what_a_graph_still_carries()
    {
        var topology = Of("fat_tree(layers: 2, radix: 8)", nodes: 32, nics: 1);
        NetworkFailure Failure(string name) => topology.Failures.Single(failure => failure.Name == name);
        double Left(SwitchGraph graph) => graph.Flow(graph.EndpointsOf(0)) / 4.0;
        Assert.Equal(1, Left(SwitchGraph.FatTree(8)));

        var link = SwitchGraph.FatTree(8);
        link.Unlink(0, 8);
        Assert.Equal((Left(link), 32 - link.Reached(link.EndpointsOf(0)[0])), (Failure("link between switches").Share, Failure("link between switches").Lost));
        Assert.Equal(0.75, Left(link));

        var top = SwitchGraph.FatTree(8);
        top.Remove(8);
        Assert.Equal((Left(top), 32L - top.Reached(top.EndpointsOf(0)[0])), (Failure("top switch").Share, Failure("top switch").Lost));

        var leaf = SwitchGraph.FatTree(8);
        leaf.Remove(1);
        Assert.Equal((Left(leaf), 32L - leaf.Reached(leaf.EndpointsOf(0)[0])), (Failure("leaf switch").Share, Failure("leaf switch").Lost));
        Assert.Equal(4, Failure("leaf switch").Lost);
    }

    [Fact]
    public void A_plane_less_is_an_eighth_less_for_everybody()
    {
        var failures = Of("multi_plane_fat_tree(planes: 8, radix: 64)").Failures.ToDictionary(failure => failure.Name);
        Assert.Equal((0, 0.875), (failures["plane"].Lost, failures["plane"].Share));
        Assert.Equal((0, 0.875), (failures["leaf switch"].Lost, failures["leaf switch"].Share));
        Assert.Equal((8, 1.0), (failures["node"].Lost, failures["node"].Share));
        Assert.DoesNotContain("plane", Of("fat_tree(layers: 3, radix: 64)").Failures.Select(failure => failure.Name));
    }

    [Fact]
    public void Slim_fly_says_that_its_published_size_has_no_graph()
    {
        Assert.Contains(Of("slim_fly(radix: 64)").Notes, note => note.Contains("28 is none"));
        Assert.Single(Of("slim_fly(radix: 11)", 1, 1).Notes);
    }

    [Theory]
    [InlineData("multi_plane_fat_tree(planes: 4, radix: 64)", 2048, 6, DiagnosticCode.AdaptersPerPlane)]
    [InlineData("multi_plane_fat_tree(planes: 8, radix: 64)", 256, 0, DiagnosticCode.AdaptersPerPlane)]
    [InlineData("fat_tree(layers: 2, radix: 64)", 257, 8, DiagnosticCode.NetworkTooSmall)]
    [InlineData("multi_plane_fat_tree(planes: 8, radix: 64)", 2049, 8, DiagnosticCode.NetworkTooSmall)]
    [InlineData("slim_fly(radix: 3)", 1, 1, DiagnosticCode.NetworkTooSmall)]
    public void A_network_that_does_not_fit_is_refused(string network, int nodes, int nics, DiagnosticCode code) =>
        Assert.Equal([code], Bind(network, nodes, nics).Diagnostics.Select(diagnostic => diagnostic.Code));

    private static NetworkTopology Of(string network, int nodes = 256, int nics = 8)
    {
        var program = Bind(network, nodes, nics);
        Assert.Empty(program.Diagnostics);
        return NetworkTopology.Of(program.Clusters.Single())!;
    }

    private static BoundProgram Bind(string network, int nodes, int nics) => FrontEnd.Bind(SourceText.From("cluster.dsm", $$"""
        cluster C {
          gpu = h800
          nodes = {{nodes}}
          node { gpus = 8, nvlink = 160 GB/s, nics = {{nics}}, nic = 50 GB/s }
          network = {{network}}
        }
        """));
}
