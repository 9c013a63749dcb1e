using System.Text;
using System.Text.Json;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Schedules;
using ModelDsl.Simulation.Topologies;

namespace ModelDsl.Cli.Output;

/// <summary>A training plan for programs. Times are seconds, sizes bytes, FLOPs those of training one token.</summary>
internal static class TrainingPlanJson
{
    public static string Write(TrainingPlan plan)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("train", plan.Train.Name);
            Model(json, plan);
            Schedule(json, plan);
            if (NetworkTopology.Of(plan.Train.Cluster) is { } topology) TopologyJson.Write(json, topology);
            if (plan.StepSeconds is { } step) Throughput(json, plan.Throughput(step), step);
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

    private static void Schedule(Utf8JsonWriter json, TrainingPlan plan)
    {
        var schedule = plan.Schedule;
        var ranks = Enumerable.Range(0, schedule.Ranks).ToArray();
        json.WriteStartObject("schedule");
        json.WriteString("name", schedule.Name);
        json.WriteNumber("micro_batches", schedule.MicroBatches);
        json.WriteNumber("data_parallel", plan.DataParallel);
        json.WriteNumber("peak_live_chunks", ranks.Max(rank => ScheduleValidator.PeakLive(schedule, rank)));
        var timeline = plan.Timeline;
        if (timeline is not null)
        {
            json.WriteNumber("makespan_seconds", timeline.Makespan);
            json.WriteNumber("bubble_seconds", ranks.Max(timeline.Bubble));
            var formula = BubbleFormula.Of(schedule, plan.Times!);
            json.WriteNumber("bubble_formula_seconds", formula.Value);
            json.WriteString("bubble_formula", formula.Text);
        }
        json.WriteStartArray("ranks");
        foreach (var rank in ranks)
        {
            json.WriteStartObject();
            json.WriteStartArray("program");
            foreach (var op in schedule.Programs[rank]) json.WriteStringValue(op.ToString());
            json.WriteEndArray();
            json.WriteNumber("peak_live_chunks", ScheduleValidator.PeakLive(schedule, rank));
            json.WriteNumber("peak_deferred_weight_gradients", ScheduleValidator.PeakDeferred(schedule, rank));
            if (timeline is not null) json.WriteNumber("bubble_seconds", timeline.Bubble(rank));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Throughput(Utf8JsonWriter json, Throughput throughput, double step)
    {
        json.WriteStartObject("time");
        json.WriteNumber("step_seconds", step);
        json.WriteEndObject();
        json.WriteStartObject("throughput");
        json.WriteNumber("tokens_per_day", throughput.TokensPerDay);
        json.WriteNumber("mfu_causal", throughput.MfuCausal);
        json.WriteNumber("mfu_noncausal", throughput.MfuNonCausal);
        json.WriteEndObject();
        json.WriteStartObject("cost");
        json.WriteNumber("gpu_hours", throughput.GpuHours);
        if (throughput.Dollars is { } dollars) json.WriteNumber("dollars", dollars);
        json.WriteEndObject();
    }
}
