using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Topologies;

/// <summary>A cluster's network: how large it can grow, what the cluster takes of it, how far its endpoints are apart, what a failure leaves.</summary>
/// <param name="Full">Built out to its limit.</param>
/// <param name="Used">As far as the cluster's adapters need it, no path narrower than an endpoint's.</param>
/// <param name="Paths">Between two GPUs, nearest first.</param>
/// <param name="Notes">What a reader of the figures should know.</param>
public sealed record NetworkTopology(
    NetworkSpec Network,
    NetworkCounts Full,
    NetworkCounts Used,
    ImmutableArray<NetworkPath> Paths,
    ImmutableArray<NetworkFailure> Failures,
    ImmutableArray<string> Notes)
{
    public double Dollars => NetworkPrices.Of(Full);

    public double UsedDollars => NetworkPrices.Of(Used);

    /// <summary>Null where the cluster describes no network.</summary>
    public static NetworkTopology? Of(ClusterSpec cluster) => cluster.Network is not { } network ? null : network.Kind switch
    {
        "dragonfly" => Dragonfly.Of(cluster, network),
        "slim_fly" => SlimFly.Of(cluster, network),
        _ => FatTree.Of(cluster, network),
    };
}

/// <param name="Switches">Passed on the way.</param>
/// <param name="Nvlink">One hop to a neighbour in the node comes on top.</param>
/// <param name="Seconds">A message of 64 bytes, one way.</param>
public sealed record NetworkPath(string Name, int Switches, bool Nvlink, double Seconds)
{
    /// <summary>Links of the network, those to both endpoints included.</summary>
    public int Links => Switches == 0 ? 0 : Switches + 1;
}

/// <param name="Lost">Endpoints that nobody reaches any more.</param>
/// <param name="Share">Of their bandwidth, what the worst-hit survivors keep when traffic spreads over all paths that are left.</param>
public sealed record NetworkFailure(string Name, long Lost, double Share, string Consequence);
