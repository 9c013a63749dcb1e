using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Topologies;

/// <summary>
/// What parts of a network cost. No price list was published with the comparison of ISCA 2025, table 3; these prices give all five of its
/// costs and all five costs per endpoint, rounded as printed.
/// </summary>
public static class NetworkPrices
{
    /// <summary>A switch of 64 ports at 400 Gb/s.</summary>
    public const double Switch = 40_000;

    /// <summary>The cable from an endpoint to its switch; adapters belong to the node.</summary>
    public const double EndpointLink = 665;

    /// <summary>Between switches, optical.</summary>
    public const double Link = 1850;

    /// <summary>Between switches of a dragonfly's group.</summary>
    public const double LocalLink = 1783;

    public static double Of(NetworkCounts counts) => Switch * counts.Switches + EndpointLink * counts.Endpoints
        + Link * (counts.Links - counts.LocalLinks) + LocalLink * counts.LocalLinks;
}
