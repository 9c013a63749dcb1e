using System.Text;
using System.Text.Json;
using ModelDsl.Simulation.Serving;
using ModelDsl.Simulation.Topologies;

namespace ModelDsl.Cli.Output;

/// <summary>A deployment's plan for programs. Times are seconds, sizes bytes.</summary>
internal static class ServingPlanJson
{
    public static string Write(ServingPlan plan)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("serve");
            json.WriteString("name", plan.Serve.Name);
            json.WriteString("model", plan.Serve.Model.Name);
            json.WriteNumber("kv_bytes_per_token", plan.KvBytesPerToken);
            if ((plan.Decode?.Memory ?? plan.Prefill?.Memory) is { } memory) json.WriteNumber("kv_tokens_per_gpu", memory.KvTokensPerGpu);
            if (plan.KvTransferSeconds is { } moved) json.WriteNumber("kv_transfer_seconds", moved);
            if (plan.Bound is { } bound)
            {
                json.WriteNumber("tpot_bound_seconds", bound.TokenSeconds);
                json.WriteNumber("tpot_bound_tokens_per_second", bound.TokensPerSecond);
                json.WriteNumber("tpot_bound_exchange_seconds", bound.ExchangeSeconds);
                json.WriteNumber("tpot_bound_exact_seconds", plan.ExactBound!.TokenSeconds);
            }
            if (plan.NvlinkBound is { } nvlink) json.WriteNumber("tpot_bound_nvlink_seconds", nvlink.TokenSeconds);
            if (plan.Decode is { } decode)
            {
                json.WriteNumber("tokens_per_second_per_node", decode.Operating.TokensPerSecondPerNode);
                json.WriteNumber("tpot_seconds", decode.Operating.TokenSeconds);
                if (decode.Draft is { } draft) Draft(json, draft);
                Decode(json, decode);
            }
            if (plan.Prefill is { } prefill) Prefill(json, prefill);
            json.WriteString("expert_loads", plan.Loads.Name);
            json.WriteStartArray("measured");
            foreach (var measured in PublishedServing.Of(plan.Serve))
            {
                json.WriteStartObject();
                json.WriteString("phase", measured.Phase);
                json.WriteNumber("tokens_per_second_per_node", measured.TokensPerSecondPerNode);
                json.WriteString("how", measured.How);
                json.WriteString("source", measured.Source);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("assumptions");
            foreach (var assumption in plan.Assumptions)
            {
                json.WriteStartObject();
                json.WriteString("name", assumption.Name);
                json.WriteNumber("value", assumption.Value);
                json.WriteString("unit", assumption.Unit);
                json.WriteString("source", assumption.Source);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
            if (NetworkTopology.Of(plan.Serve.Cluster) is { } topology) TopologyJson.Write(json, topology);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Draft(Utf8JsonWriter json, DraftGain draft)
    {
        json.WriteStartObject("mtp");
        json.WriteNumber("draft", draft.Draft);
        json.WriteNumber("acceptance", draft.Acceptance);
        json.WriteNumber("tokens_per_step", draft.TokensPerStep);
        json.WriteNumber("overhead", draft.Overhead);
        json.WriteNumber("speed_up", draft.SpeedUp);
        json.WriteEndObject();
    }

    private static void Decode(Utf8JsonWriter json, DecodePlan decode)
    {
        json.WriteStartObject("decode");
        Unit(json, decode.Phase.UnitNodes, decode.Memory, decode.Experts, decode.Smallest);
        json.WritePropertyName("operating");
        Point(json, decode.Operating);
        json.WriteStartArray("curve");
        foreach (var point in decode.Curve) Point(json, point);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Prefill(Utf8JsonWriter json, PrefillPlan prefill)
    {
        json.WriteStartObject("prefill");
        Unit(json, prefill.Phase.UnitNodes, prefill.Memory, prefill.Experts, prefill.Smallest);
        json.WriteNumber("tokens_per_second_per_node", prefill.Rate.TokensPerSecondPerNode);
        json.WriteNumber("compute_seconds_per_token", prefill.Rate.ComputeSeconds);
        json.WriteNumber("network_seconds_per_token", prefill.Rate.NetworkSeconds);
        json.WriteNumber("nodes_per_token", prefill.Rate.NodesPerToken);
        json.WriteBoolean("overlapped", prefill.Rate.Overlapped);
        json.WriteString("bound_by", prefill.Rate.Bound);
        json.WriteEndObject();
    }

    private static void Point(Utf8JsonWriter json, DecodePoint point)
    {
        json.WriteStartObject();
        json.WriteNumber("requests_per_gpu", point.RequestsPerGpu);
        json.WriteBoolean("fits", point.Fits);
        json.WriteNumber("tpot_seconds", point.TokenSeconds);
        json.WriteNumber("step_seconds", point.StepSeconds);
        json.WriteNumber("compute_seconds", point.ComputeSeconds);
        json.WriteNumber("network_seconds", point.NetworkSeconds);
        json.WriteNumber("tokens_per_second_per_user", point.TokensPerSecondPerUser);
        json.WriteNumber("tokens_per_second_per_node", point.TokensPerSecondPerNode);
        json.WriteString("bound_by", point.Bound);
        json.WriteEndObject();
    }

    private static void Unit(Utf8JsonWriter json, int nodes, UnitMemory memory, ExpertSpread? experts, SmallestUnit? smallest)
    {
        json.WriteNumber("unit_nodes", nodes);
        json.WriteNumber("kv_tokens_per_gpu", memory.KvTokensPerGpu);
        json.WriteNumber("kv_tokens_per_unit", memory.KvTokensPerUnit);
        json.WriteStartObject("memory");
        json.WriteNumber("capacity", memory.Capacity);
        json.WriteNumber("reserved", memory.Reserved);
        foreach (var (name, bytes) in memory.Weights) json.WriteNumber(name.Replace(' ', '_'), bytes);
        json.WriteEndObject();
        if (experts is not null)
        {
            json.WriteStartObject("experts");
            json.WriteNumber("routed", experts.Experts);
            json.WriteNumber("redundant", experts.Redundant);
            json.WriteNumber("ranks", experts.Ranks);
            if (experts.Without is { } without) json.WriteNumber("imbalance_without_copies", without);
            if (experts.ByNode is { } hierarchical) json.WriteNumber("imbalance_hierarchical", hierarchical);
            json.WriteNumber("imbalance_global", experts.Global);
            json.WriteNumber("most_copies", experts.MostCopies);
            json.WriteEndObject();
        }
        if (smallest is not null)
        {
            json.WriteStartObject("smallest_unit");
            json.WriteNumber("nodes", smallest.Nodes);
            json.WriteNumber("gpus", smallest.Gpus);
            json.WriteNumber("kv_tokens_per_gpu", smallest.KvTokensPerGpu);
            json.WriteEndObject();
        }
    }
}
