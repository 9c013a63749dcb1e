using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Topologies;

/// <summary>
/// End-to-end latency of a 64-byte message as a start plus something for every switch, from the published pairs (ISCA 2025, table 5):
/// InfiniBand 2.8 us through one switch and 3.7 through three, RoCE 3.6 and 5.6, NVLink 3.33.
/// </summary>
public sealed record LinkLatency(double Start, double PerSwitch)
{
    public const double Nvlink = 3.33e-6;

    public static LinkLatency Of(NetworkSpec network) =>
        network.Fabric == "roce" ? new LinkLatency(2.6e-6, 1.0e-6) : new LinkLatency(2.35e-6, 0.45e-6);

    public NetworkPath Path(string name, int switches, bool nvlink = false) =>
        new(name, switches, nvlink, Start + switches * PerSwitch + (nvlink ? Nvlink : 0));

    public static NetworkPath WithinNode { get; } = new("same node, NVLink", 0, true, Nvlink);
}
