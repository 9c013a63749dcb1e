using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Topologies;

/// <summary>Groups of switches that all know one another, groups that are all linked: at most local, global, local.</summary>
internal static class Dragonfly
{
    public static NetworkTopology Of(ClusterSpec cluster, NetworkSpec network)
    {
        var shape = DragonflyShape.Of(network);
        var (latency, nics) = (LinkLatency.Of(network), cluster.Node.Nics);
        var groupEndpoints = shape.Endpoints * shape.GroupSwitches;
        var groups = (int)Math.Clamp(((long)cluster.Nodes * nics + groupEndpoints - 1) / Math.Max(1, groupEndpoints), 1, shape.Groups);
        var (local, global) = (shape.GroupSwitches - 1.0, (double)shape.GlobalLinks);
        var most = DragonflyShape.MostGroups(network.Figure("radix"));
        return new NetworkTopology(
            network, shape.Counts, shape.For(groups),
            [
                LinkLatency.WithinNode,
                latency.Path("same switch", 1),
                latency.Path("same group", 2),
                latency.Path("another group, shortest", 2),
                latency.Path("another group, longest", 4),
            ],
            [
                nics > 1
                    ? new("link to an endpoint", 0, (nics - 1.0) / nics, "its node sends through the other adapters, to which NVLink leads")
                    : new("link to an endpoint", 1, 1, "its node is cut off"),
                new("link within a group", 0, (local + global - 1) / (local + global), "its two switches meet at any third one of the group"),
                new("link between groups", 0, 1 - 1 / (shape.GroupSwitches * global),
                    "its two groups meet in any third group; between them the shortest way is gone"),
                new("switch", shape.Endpoints, (local + global - 1) / (local + global), $"the {shape.Endpoints} endpoints on it are cut off"),
                new("node", nics, 1, "its GPUs are gone; nobody else loses a path"),
            ],
            shape.Groups > most
                ? [$"{shape.Groups} groups are more than the {most} that switches of so many ports can link with one another"]
                : [$"{shape.Groups} groups of {shape.GroupSwitches} switches; up to {most} can be linked with one another"]);
    }
}
