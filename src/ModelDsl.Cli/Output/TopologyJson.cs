using System.Text.Json;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Topologies;

namespace ModelDsl.Cli.Output;

/// <summary>A network for programs: counts and cost of its full size, then what the cluster uses of it. Costs are dollars, times seconds.</summary>
internal static class TopologyJson
{
    public static void Write(Utf8JsonWriter json, NetworkTopology topology)
    {
        json.WriteStartObject("topology");
        json.WriteString("kind", topology.Network.Kind);
        json.WriteString("fabric", topology.Network.Fabric);
        Counts(json, topology.Full);
        json.WriteStartObject("used");
        Counts(json, topology.Used);
        json.WriteEndObject();
        json.WriteStartArray("paths");
        foreach (var path in topology.Paths)
        {
            json.WriteStartObject();
            json.WriteString("name", path.Name);
            json.WriteNumber("switches", path.Switches);
            json.WriteNumber("links", path.Links);
            json.WriteBoolean("nvlink", path.Nvlink);
            json.WriteNumber("latency_seconds", Math.Round(path.Seconds, 9));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("failures");
        foreach (var failure in topology.Failures)
        {
            json.WriteStartObject();
            json.WriteString("of", failure.Name);
            json.WriteNumber("unreachable_endpoints", failure.Lost);
            json.WriteNumber("bandwidth_share", failure.Share);
            json.WriteString("consequence", failure.Consequence);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("notes");
        foreach (var note in topology.Notes) json.WriteStringValue(note);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Counts(Utf8JsonWriter json, NetworkCounts counts)
    {
        var cost = NetworkPrices.Of(counts);
        json.WriteNumber("endpoints", counts.Endpoints);
        json.WriteNumber("switches", counts.Switches);
        json.WriteNumber("links", counts.Links);
        json.WriteNumber("cost", cost);
        if (counts.Endpoints > 0) json.WriteNumber("cost_per_endpoint", cost / counts.Endpoints);
    }
}
