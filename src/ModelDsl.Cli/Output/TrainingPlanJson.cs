using System.Text;
using System.Text.Json;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Time;
using ModelDsl.Simulation.Topologies;

namespace ModelDsl.Cli.Output;

/// <summary>A training plan for programs, as src/ModelDsl.Simulation/plan.schema.json describes it. Times are seconds, sizes bytes.</summary>
internal static class TrainingPlanJson
{
    /// <summary>The rank whose parts stand for the step: the one that logs usually come from. It holds the first stage, and under DualPipe the last.</summary>
    private const int ReportedRank = 0;

    public static string Write(TrainingPlan plan)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("train", plan.Train.Name);
            Model(json, plan);
            ScheduleJson.Write(json, plan);
            Overlap(json, plan);
            ExchangeJson.Write(json, plan);
            if (NetworkTopology.Of(plan.Train.Cluster) is { } topology) TopologyJson.Write(json, topology);
            MemoryJson.Write(json, plan);
            Time(json, plan);
            Throughput(json, plan);
            Cost(json, plan);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Model(Utf8JsonWriter json, TrainingPlan plan)
    {
        var costs = plan.Costs;
        json.WriteStartObject("model");
        json.WriteString("name", plan.Train.Model.Name);
        json.WriteStartObject("parameters");
        json.WriteNumber("total", costs.Parameters);
        json.WriteNumber("active", costs.Active);
        json.WriteNumber("active_without_embedding", costs.Active - costs.Embedding);
        json.WriteNumber("active_without_embedding_and_head", costs.Active - 2 * costs.Embedding);
        json.WriteNumber("mtp", costs.Mtp);
        json.WriteEndObject();
        json.WriteNumber("kv_bytes_per_token", costs.KvBytesPerToken);
        json.WriteStartObject("gflops_per_token");
        json.WriteNumber("causal", costs.TrainingFlopsCausal / 1e9);
        json.WriteNumber("noncausal", costs.TrainingFlopsNonCausal / 1e9);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Overlap(Utf8JsonWriter json, TrainingPlan plan)
    {
        json.WriteStartObject("overlap");
        if (plan.Pair is { } pair)
        {
            json.WriteNumber("hidden_fraction", pair.HiddenFraction);
            json.WriteNumber("pair_seconds", pair.Span);
            json.WriteNumber("compute_seconds", pair.Compute);
            json.WriteNumber("communication_seconds", pair.Communication);
            json.WriteNumber("compute_sms", plan.Train.Cluster.Gpu.Multiprocessors - plan.Train.Schedule.CommSms);
            json.WriteNumber("communication_sms", plan.Train.Schedule.CommSms);
            json.WriteStartArray("segments");
            foreach (var segment in pair.Segments)
            {
                json.WriteStartObject();
                json.WriteString("lane", segment.Lane.ToString().ToLowerInvariant());
                json.WriteString("name", segment.Name);
                json.WriteNumber("layer", segment.Layer);
                json.WriteNumber("start", segment.Start);
                json.WriteNumber("end", segment.End);
                json.WriteNumber("waited", segment.Waited);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Time(Utf8JsonWriter json, TrainingPlan plan)
    {
        json.WriteStartObject("time");
        json.WriteNumber("step_seconds", plan.StepSeconds);
        json.WriteNumber("planned_seconds", plan.PlannedSeconds);
        json.WriteNumber("rank", ReportedRank);
        Parts(json, plan.Parts(ReportedRank));
        if (plan.Residual is { } residual)
        {
            json.WriteNumber("residual", residual);
            json.WriteNumber("measured_seconds", plan.Measured!.Value.Seconds);
            json.WriteString("measured_source", plan.Measured.Value.Source);
            if (plan.Published is { } run)
            {
                json.WriteStartObject("published");
                json.WriteString("source", run.Source);
                json.WriteNumber("step_seconds", run.StepSeconds);
                Parts(json, run.Parts);
                json.WriteEndObject();
            }
        }
        else
        {
            json.WriteNull("residual");
        }
        json.WriteStartArray("ranks");
        for (var rank = 0; rank < plan.Schedule.Ranks; rank++)
        {
            json.WriteStartObject();
            Parts(json, plan.Parts(rank));
            var optimizer = plan.Optimizers[rank];
            json.WriteNumber("gradient_sum", optimizer.Reduce);
            json.WriteNumber("weight_update", optimizer.Update);
            json.WriteNumber("weight_spread", optimizer.Gather);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Parts(Utf8JsonWriter json, StepParts parts)
    {
        json.WriteNumber("f", parts.Forward);
        json.WriteNumber("b", parts.Backward);
        json.WriteNumber("w", parts.Weight);
        json.WriteNumber("pairs", parts.Pairs);
        json.WriteNumber("bubble", parts.Bubble);
        json.WriteNumber("optimizer", parts.Optimizer);
    }

    private static void Throughput(Utf8JsonWriter json, TrainingPlan plan)
    {
        var throughput = plan.Throughput;
        json.WriteStartObject("throughput");
        json.WriteNumber("tokens_per_step", plan.TokensPerStep);
        json.WriteNumber("tokens_per_day", throughput.TokensPerDay);
        json.WriteNumber("mfu_causal", throughput.MfuCausal);
        json.WriteNumber("mfu_noncausal", throughput.MfuNonCausal);
        json.WriteNumber("gpu_hours_per_trillion_tokens", throughput.GpuHoursPerTrillion);
        json.WriteEndObject();
    }

    private static void Cost(Utf8JsonWriter json, TrainingPlan plan)
    {
        var cost = plan.Cost;
        json.WriteStartObject("cost");
        json.WriteNumber("gpu_hours", cost.GpuHours);
        if (cost.Dollars is { } dollars) json.WriteNumber("dollars", dollars);
        json.WriteStartArray("stages");
        foreach (var stage in cost.Stages)
        {
            json.WriteStartObject();
            json.WriteString("name", stage.Name);
            json.WriteNumber("sequence", stage.Sequence);
            json.WriteNumber("tokens", stage.Tokens);
            json.WriteNumber("gpu_hours", stage.GpuHours);
            if (stage.Dollars is { } price) json.WriteNumber("dollars", price);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
