using System.Globalization;
using System.Text;
using System.Text.Json;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Cli.Output;

/// <summary>
/// A planned step in the format that chrome://tracing and Perfetto read: a thread per rank, the lanes of one overlapped pair, memory by consumer.
/// Times are microseconds from the step's start.
/// </summary>
internal static class PlanTrace
{
    private const int Pipeline = 1;
    private const int Lanes = 2;
    private const int Memory = 3;

    public static string Write(TrainingPlan plan)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("displayTimeUnit", "ms");
            json.WriteStartArray("traceEvents");
            Name(json, Pipeline, null, $"{plan.Train.Name}: one step, {plan.Schedule.Name}");
            for (var rank = 0; rank < plan.Schedule.Ranks; rank++)
            {
                Name(json, Pipeline, rank, $"rank {rank}");
                foreach (var op in plan.Timeline.Ranks[rank]) Op(json, plan, rank, op);
            }
            Chunk(json, plan);
            Name(json, Memory, null, "memory, GB");
            for (var rank = 0; rank < plan.Schedule.Ranks; rank++) Counters(json, plan, rank);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Op(Utf8JsonWriter json, TrainingPlan plan, int rank, TimedOp op)
    {
        Begin(json, $"{op.Op} #{op.MicroBatch}", Kind(op.Op.Kind), Pipeline, rank, op.Start, op.End);
        json.WriteStartObject("args");
        json.WriteNumber("micro_batch", op.MicroBatch);
        json.WriteNumber("stage", plan.Schedule.Placement.Of(rank, op.Op.Part).Stage);
        if (op.Op.Kind == OpKind.Overlapped) json.WriteNumber("backward_stage", plan.Schedule.Placement.Of(rank, op.Op.BackwardPart).Stage);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Chunk(Utf8JsonWriter json, TrainingPlan plan)
    {
        if (plan.Pair is not { } pair) return;
        Name(json, Lanes, null, $"one overlapped pair: {Percent(pair.HiddenFraction)} of communication hidden");
        Name(json, Lanes, 0, "compute");
        Name(json, Lanes, 1, "communication");
        foreach (var segment in pair.Segments)
        {
            Begin(json, segment.Name, segment.Lane.ToString().ToLowerInvariant(), Lanes, (int)segment.Lane, segment.Start, segment.End);
            json.WriteStartObject("args");
            json.WriteNumber("layer", segment.Layer);
            json.WriteNumber("waited_us", segment.Waited * 1e6);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static void Counters(Utf8JsonWriter json, TrainingPlan plan, int rank)
    {
        foreach (var sample in plan.MemoryOverTime(rank))
        {
            json.WriteStartObject();
            json.WriteString("name", $"rank {rank}");
            json.WriteString("ph", "C");
            json.WriteNumber("pid", Memory);
            json.WriteNumber("ts", sample.Seconds * 1e6);
            json.WriteStartObject("args");
            foreach (var consumer in sample.Consumers) json.WriteNumber(consumer.Name, Math.Round(consumer.Bytes / 1e9, 3));
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static void Begin(Utf8JsonWriter json, string name, string category, int process, int thread, double start, double end)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("cat", category);
        json.WriteString("ph", "X");
        json.WriteNumber("pid", process);
        json.WriteNumber("tid", thread);
        json.WriteNumber("ts", start * 1e6);
        json.WriteNumber("dur", (end - start) * 1e6);
    }

    /// <summary>Of a process, or of one of its threads.</summary>
    private static void Name(Utf8JsonWriter json, int process, int? thread, string name)
    {
        json.WriteStartObject();
        json.WriteString("name", thread is null ? "process_name" : "thread_name");
        json.WriteString("ph", "M");
        json.WriteNumber("pid", process);
        if (thread is { } id) json.WriteNumber("tid", id);
        json.WriteStartObject("args");
        json.WriteString("name", name);
        json.WriteEndObject();
        json.WriteEndObject();
        if (thread is not { } order) return;
        json.WriteStartObject();
        json.WriteString("name", "thread_sort_index");
        json.WriteString("ph", "M");
        json.WriteNumber("pid", process);
        json.WriteNumber("tid", order);
        json.WriteStartObject("args");
        json.WriteNumber("sort_index", order);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string Percent(double share) => share.ToString("0.0%", CultureInfo.InvariantCulture);

    private static string Kind(OpKind kind) => kind switch
    {
        OpKind.Forward => "forward",
        OpKind.Backward => "backward",
        OpKind.BackwardInput => "backward of inputs",
        OpKind.BackwardWeight => "backward of weights",
        _ => "forward and backward",
    };
}
