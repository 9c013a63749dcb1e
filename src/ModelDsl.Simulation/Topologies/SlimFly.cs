using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Topologies;

/// <summary>A network of diameter two: any two switches are neighbours or have a neighbour in common.</summary>
internal static class SlimFly
{
    public static NetworkTopology Of(ClusterSpec cluster, NetworkSpec network)
    {
        var shape = SlimFlyShape.Of(network.Figure("radix"));
        var (latency, nics) = (LinkLatency.Of(network), cluster.Node.Nics);
        // It cannot be built in part: each switch has its neighbours all over the network.
        var used = shape.Counts with { Endpoints = Math.Min(shape.Counts.Endpoints, (long)cluster.Nodes * nics) };
        return new NetworkTopology(
            network, shape.Counts, used,
            [
                LinkLatency.WithinNode,
                latency.Path("same switch", 1),
                latency.Path("neighbouring switches", 2),
                latency.Path("any others", 3),
            ],
            [
                nics > 1
                    ? new("link to an endpoint", 0, (nics - 1.0) / nics, "its node sends through the other adapters, to which NVLink leads")
                    : new("link to an endpoint", 1, 1, "its node is cut off"),
                new("link between switches", 0, (shape.Degree - 1.0) / shape.Degree, "its two switches meet by way of two or three others"),
                new("switch", shape.Endpoints, (shape.Degree - 1.0) / shape.Degree, $"the {shape.Endpoints} endpoints on it are cut off"),
                new("node", nics, 1, "its GPUs are gone; nobody else loses a path"),
            ],
            IsPrimePower(shape.Q)
                ? [$"q = {shape.Q}: {shape.Degree} links from a switch to others, {shape.Endpoints} to endpoints"]
                :
                [
                    $"q = {shape.Q}: {shape.Degree} links from a switch to others, {shape.Endpoints} to endpoints",
                    $"counted as published; a graph is known for prime powers only, and {shape.Q} is none",
                ]);
    }

    private static bool IsPrimePower(int q)
    {
        for (var p = 2; p <= q; p++)
        {
            if (q % p != 0) continue;
            while (q % p == 0) q /= p;
            return q == 1;
        }
        return false;
    }
}
