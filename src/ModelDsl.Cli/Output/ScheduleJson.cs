using System.Text.Json;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Cli.Output;

/// <summary>The pipeline's part of a training plan: stages, and every rank's program.</summary>
internal static class ScheduleJson
{
    public static void Write(Utf8JsonWriter json, TrainingPlan plan)
    {
        var (schedule, timeline) = (plan.Schedule, plan.Timeline);
        var ranks = Enumerable.Range(0, schedule.Ranks).ToArray();
        json.WriteStartObject("schedule");
        json.WriteString("name", schedule.Name);
        json.WriteNumber("micro_batches", schedule.MicroBatches);
        json.WriteNumber("micro_batch_size", plan.Train.Schedule.MicroBatchSize);
        json.WriteNumber("data_parallel", plan.DataParallel);
        json.WriteNumber("peak_live_chunks", ranks.Max(rank => ScheduleValidator.PeakLive(schedule, rank)));
        json.WriteNumber("makespan_seconds", timeline.Makespan);
        json.WriteNumber("bubble_seconds", ranks.Max(timeline.Bubble));
        var formula = BubbleFormula.Of(schedule, plan.MeanTimes);
        json.WriteNumber("bubble_formula_seconds", formula.Value);
        json.WriteString("bubble_formula", formula.Text);
        json.WriteNumber("transfer_seconds", plan.Times.Transfer);
        json.WriteStartArray("stages");
        foreach (var stage in plan.Stages)
        {
            json.WriteStartObject();
            json.WriteNumber("first_layer", stage.FirstLayer);
            json.WriteNumber("layers", stage.Layers);
            json.WriteStartArray("blocks");
            foreach (var block in stage.Blocks) json.WriteStringValue(block.Kind.ToString().ToLowerInvariant());
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("ranks");
        foreach (var rank in ranks)
        {
            json.WriteStartObject();
            json.WriteStartArray("program");
            foreach (var op in schedule.Programs[rank]) json.WriteStringValue(op.ToString());
            json.WriteEndArray();
            json.WriteStartArray("stages");
            for (var part = 0; part < schedule.Placement.PartsPerRank; part++) json.WriteNumberValue(schedule.Placement.Of(rank, part).Stage);
            json.WriteEndArray();
            json.WriteStartArray("op_seconds");
            foreach (var times in plan.Times.Ranks[rank])
            {
                json.WriteStartObject();
                json.WriteNumber("f", times.Forward);
                json.WriteNumber("b_input", times.BackwardInput);
                json.WriteNumber("w", times.BackwardWeight);
                json.WriteNumber("fb", times.Overlapped);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteNumber("peak_live_chunks", ScheduleValidator.PeakLive(schedule, rank));
            json.WriteNumber("peak_deferred_weight_gradients", ScheduleValidator.PeakDeferred(schedule, rank));
            json.WriteNumber("bubble_seconds", timeline.Bubble(rank));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
