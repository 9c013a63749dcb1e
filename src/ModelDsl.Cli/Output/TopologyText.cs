using System.Globalization;
using System.Text;
using ModelDsl.Simulation.Topologies;

namespace ModelDsl.Cli.Output;

/// <summary>A network for people.</summary>
internal static class TopologyText
{
    public static void Write(StringBuilder text, NetworkTopology topology)
    {
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        var (full, used) = (topology.Full, topology.Used);
        Line($"  network           {topology.Network.Kind} over {topology.Network.Fabric}: up to {full.Endpoints:N0} endpoints with {full.Switches:N0} switches and {full.Links:N0} links between them, {Millions(topology.Dollars)} ({topology.Dollars / full.Endpoints:N0} $ each)");
        Line($"    in use          {used.Endpoints:N0} endpoints, {used.Switches:N0} switches, {used.Links:N0} links, {Millions(topology.UsedDollars)}");
        foreach (var note in topology.Notes) Line($"    {note}");
        Line($"    from GPU to GPU                                   switches   links   latency of 64 bytes");
        foreach (var path in topology.Paths)
            Line($"      {path.Name,-46}  {path.Switches,8}  {path.Links,6}   {path.Seconds * 1e6:0.00} us");
        Line($"    what fails                 endpoints lost   bandwidth left");
        foreach (var failure in topology.Failures)
            Line($"      {failure.Name,-24}  {failure.Lost,13:N0}   {failure.Share,14:0.0%}   {failure.Consequence}");
    }

    private static string Millions(double dollars) => string.Create(CultureInfo.InvariantCulture, $"{dollars / 1e6:N1} M$");
}
