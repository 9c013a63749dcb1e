using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding.Checks;

/// <summary>Whether a cluster's nodes find room in its network.</summary>
internal static class ClusterChecks
{
    public static void Check(ClusterSpec cluster, BoundBlock block, DiagnosticBag diagnostics)
    {
        if (cluster.Network is not { } network) return;
        var (nics, planes) = (cluster.Node.Nics, network.Planes);
        if (nics < planes || nics % planes != 0)
        {
            diagnostics.Add(Catalogue.AdaptersPerPlane(block.TryCall("network")!.SpanOf(network.Kind == "multi_plane_fat_tree" ? "planes" : "rails"), nics, planes));
            return;
        }

        var room = NetworkCounts.Of(network).Endpoints;
        if ((long)cluster.Nodes * nics > room)
            diagnostics.Add(Catalogue.NetworkTooSmall(block.SpanOf("network"), network.Kind, room, cluster.Nodes, nics));
    }
}
