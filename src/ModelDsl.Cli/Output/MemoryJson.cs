using System.Text.Json;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Memory;

namespace ModelDsl.Cli.Output;

/// <summary>The memory of a training plan: every rank's fullest moment, and what the recipe's savings are worth.</summary>
internal static class MemoryJson
{
    public static void Write(Utf8JsonWriter json, TrainingPlan plan)
    {
        var memory = plan.Memory;
        json.WriteStartObject("memory");
        json.WriteNumber("capacity_bytes", memory.Capacity);
        json.WriteNumber("peak_bytes", memory.Peak);
        json.WriteBoolean("fits", memory.Fits);
        json.WriteNumber("fullest_rank", memory.FullestRank);
        json.WriteStartObject("savings");
        foreach (var saving in plan.Savings) json.WriteNumber(saving.Name, saving.Bytes);
        json.WriteEndObject();
        if (WeightDeferral.Of(plan) is { } whole)
        {
            json.WriteStartObject("without_weight_deferral");
            json.WriteNumber("peak_bytes", whole.Peak);
            json.WriteNumber("makespan_seconds", whole.Makespan);
            json.WriteEndObject();
        }
        json.WriteStartArray("ranks");
        foreach (var rank in memory.Ranks)
        {
            json.WriteStartObject();
            json.WriteNumber("peak_bytes", rank.Peak);
            json.WriteNumber("peak_op", rank.Op);
            json.WriteString("peak_op_name", rank.At.ToString());
            if (rank.Seconds is { } seconds) json.WriteNumber("peak_seconds", seconds);
            json.WriteNumber("live_chunks", rank.LiveChunks);
            json.WriteNumber("deferred_weight_gradients", rank.DeferredWeightGradients);
            json.WriteStartObject("consumers");
            foreach (var consumer in rank.Consumers) json.WriteNumber(consumer.Name, consumer.Bytes);
            json.WriteEndObject();
            json.WriteStartArray("bytes_by_op");
            foreach (var bytes in rank.ByOp) json.WriteNumberValue(Math.Round(bytes));
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
