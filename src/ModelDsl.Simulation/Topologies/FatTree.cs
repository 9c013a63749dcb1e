using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Topologies;

/// <summary>Fat trees: one, one whose leaves each serve one adapter of many nodes (multi-rail), or one for every adapter (multi-plane).</summary>
internal static class FatTree
{
    public static NetworkTopology Of(ClusterSpec cluster, NetworkSpec network)
    {
        var (planes, half) = (network.Kind == "multi_plane_fat_tree" ? network.Planes : 1, network.Figure("radix") / 2);
        var layers = network.TryFigure("layers") ?? 2;
        var perPlane = Used((long)cluster.Nodes * cluster.Node.Nics / planes, layers, half);
        return new NetworkTopology(
            network, NetworkCounts.Of(network), perPlane.Times(planes),
            Paths(network, layers, planes), Failures(cluster, network, layers, half, planes, perPlane), Notes(network, planes));
    }

    /// <summary>Leaves for all endpoints, as many switches in every layer between, and a top that takes all their uplinks.</summary>
    private static NetworkCounts Used(long endpoints, int layers, int half)
    {
        var leaves = Math.Max(1, (endpoints + half - 1) / half);
        if (layers == 1 || leaves == 1 && endpoints <= half) return new NetworkCounts(endpoints, 1, 0);
        var top = (leaves + 1) / 2;
        return new NetworkCounts(endpoints, (layers - 1) * leaves + top, (layers - 1) * leaves * half);
    }

    private static ImmutableArray<NetworkPath> Paths(NetworkSpec network, int layers, int planes)
    {
        var latency = LinkLatency.Of(network);
        var rails = network.Planes > 1;
        var one = planes > 1 ? "plane" : "rail";
        List<NetworkPath> paths = [LinkLatency.WithinNode];
        for (var layer = 1; layer <= layers; layer++)
        {
            var name = layer switch { 1 => "same leaf", 2 => "another leaf", 3 => "another pod", _ => "another half" };
            paths.Add(latency.Path(rails ? $"same {one}, {name}" : name, 2 * layer - 1));
        }
        if (rails)
            for (var layer = 1; layer <= Math.Min(2, layers); layer++)
                paths.Add(latency.Path($"another {one}, {(layer == 1 ? "same leaf" : "another leaf")}, by NVLink first", 2 * layer - 1, nvlink: true));
        return [.. paths];
    }

    private static ImmutableArray<NetworkFailure> Failures(
        ClusterSpec cluster, NetworkSpec network, int layers, int half, int planes, NetworkCounts perPlane)
    {
        var nics = cluster.Node.Nics;
        var spread = network.Planes > 1;
        var others = (nics - 1.0) / nics;
        List<NetworkFailure> failures =
        [
            nics > 1
                ? new("link to an endpoint", 0, others, "its node sends through the other adapters, to which NVLink leads")
                : new("link to an endpoint", 1, 1, "its node is cut off"),
        ];
        if (perPlane.Links > 0)
        {
            failures.Add(new("link between switches", 0, (half - 1.0) / half, $"its leaf spreads traffic over the other {half - 1} uplinks"));
            var top = perPlane.Switches - (layers - 1) * ((perPlane.Endpoints + half - 1) / half);
            failures.Add(new("top switch", 0, (top - 1.0) / top, $"traffic between leaves spreads over the other {top - 1} top switches"
                + (planes > 1 ? " of its plane" : "")));
        }

        var onLeaf = Math.Min(half, perPlane.Endpoints);
        failures.Add(spread
            ? new("leaf switch", 0, 1 - 1.0 / network.Planes, $"{onLeaf} nodes lose one {(planes > 1 ? "plane" : "rail")} of {network.Planes}")
            : new("leaf switch", onLeaf, 1, $"all {onLeaf} endpoints on it are cut off"));
        if (planes > 1)
            failures.Add(new("plane", 0, 1 - 1.0 / planes, $"every node sends over the other {planes - 1}; the planes share nothing"));
        failures.Add(new("node", nics, 1, "its GPUs are gone; nobody else loses a path"));
        return [.. failures];
    }

    private static ImmutableArray<string> Notes(NetworkSpec network, int planes) => planes > 1
        ? ["GPU k and adapter k of every node sit on plane k; to another plane a message hops within a node first"]
        : network.Planes > 1 ? ["adapter k of neighbouring nodes shares a leaf; rails meet above the leaves"] : [];
}
