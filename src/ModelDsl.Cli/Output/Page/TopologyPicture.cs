using System.Globalization;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Topologies;

namespace ModelDsl.Cli.Output.Page;

/// <summary>What a page needs to draw a cluster's network.</summary>
internal static class TopologyPicture
{
    /// <returns>Null where the cluster describes no network.</returns>
    public static object? Of(ClusterSpec cluster)
    {
        if (NetworkTopology.Of(cluster) is not { } topology) return null;
        var (network, used) = (topology.Network, topology.Used);
        var half = Math.Max(1, network.Figure("radix") / 2);
        var layers = network.TryFigure("layers") ?? 2;
        var planes = network.Planes;
        // A plane, or the leaves of a rail.
        var leaves = Math.Max(1, (used.Endpoints / planes + half - 1) / half);
        var all = Math.Max(1, (used.Endpoints + half - 1) / half);
        var dragonfly = network.Kind == "dragonfly" ? DragonflyShape.Of(network) : null;
        return new
        {
            picture = network.Kind switch { "dragonfly" => "dragonfly", "slim_fly" => "slim", "fat_tree" => "tree", _ => "planes" },
            lead = Lead(topology),
            planes,
            shared = network.Kind == "multi_rail_fat_tree",
            leaves,
            tops = Math.Max(1, used.Switches / planes - leaves),
            layers,
            perLayer = layers == 1 ? [used.Switches] : Enumerable.Repeat(all, layers - 1).Prepend(used.Switches - (layers - 1) * all).ToArray(),
            nodes = cluster.Nodes,
            gpus = cluster.Node.Gpus,
            groups = dragonfly?.Groups,
            groupSwitches = dragonfly?.GroupSwitches,
            perSwitch = dragonfly?.Endpoints,
            q = network.Kind == "slim_fly" ? SlimFlyShape.Of(network.Figure("radix")).Q : (int?)null,
            paths = topology.Paths.Select(path => new object[] { path.Name, path.Switches, path.Links, Invariant($"{path.Seconds * 1e6:0.00} us") }),
            failures = topology.Failures.Select(failure => new object[]
            {
                failure.Name, Invariant($"{failure.Lost:N0}"), Invariant($"{failure.Share:0.0%}"), failure.Consequence,
            }),
        };
    }

    private static string Lead(NetworkTopology topology)
    {
        var (used, full) = (topology.Used, topology.Full);
        return Invariant($"{topology.Network.Kind.Replace('_', ' ')} over {topology.Network.Fabric}. This cluster takes {used.Endpoints:N0} endpoints, ")
            + Invariant($"{used.Switches:N0} switches and {used.Links:N0} links between them, about {topology.UsedDollars / 1e6:0.0} M$; it can grow to ")
            + Invariant($"{full.Endpoints:N0} endpoints with {full.Switches:N0} switches for {topology.Dollars / 1e6:0.0} M$. ")
            + "Point at a row of what fails to see it in the picture.";
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
