using System.Text.Json;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Time;

namespace ModelDsl.Cli.Output;

/// <summary>What a training plan moves: activations from stage to stage, tokens to their experts and back, hop by hop.</summary>
internal static class ExchangeJson
{
    public static void Write(Utf8JsonWriter json, TrainingPlan plan)
    {
        json.WriteStartObject("network");
        json.WriteNumber("stage_transfer_bytes", PipelineTimes.TransferBytes(plan.Train));
        if (plan.Exchange is { } exchange)
        {
            json.WriteString("routing", exchange.Routing.Name);
            json.WriteNumber("heaviest_rank", exchange.RankLoad);
            json.WriteNumber("nodes", exchange.Nodes);
            json.WriteNumber("nodes_per_token", exchange.NodesPerToken);
            json.WriteNumber("remote_nodes_per_token", exchange.RemoteNodes);
            json.WriteNumber("channels", exchange.Channels);
            json.WriteNumber("dispatch_nic_bytes_without_deduplication", exchange.WithoutDeduplication);
            Hop(json, "dispatch", exchange.Dispatch, plan);
            Hop(json, "combine", exchange.Combine, plan);
            json.WriteNumber("nic_bytes_per_layer", exchange.NicBytesPerLayer);
            json.WriteNumber("nvlink_bytes_per_layer", exchange.NvlinkBytesPerLayer);
            json.WriteStartArray("warps");
            foreach (var role in exchange.Roles)
            {
                json.WriteStartObject();
                json.WriteString("kernel", role.Kernel);
                json.WriteString("role", role.Name);
                json.WriteNumber("warps", role.Warps);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Hop(Utf8JsonWriter json, string name, Exchange hop, TrainingPlan plan)
    {
        json.WriteStartObject(name);
        json.WriteString("format", hop.Format.ToString().ToLowerInvariant());
        json.WriteNumber("bytes_per_token", hop.BytesPerToken);
        json.WriteNumber("nic_bytes", hop.NicBytes);
        json.WriteNumber("nvlink_bytes", hop.NvlinkBytes);
        json.WriteString("bottleneck", hop.Bottleneck(plan.Train.Cluster));
        json.WriteNumber("seconds", hop.Seconds);
        json.WriteNumber("seconds_beside_compute", hop.SecondsBesideCompute);
        json.WriteEndObject();
    }
}
