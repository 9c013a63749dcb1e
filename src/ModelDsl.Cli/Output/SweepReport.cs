using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ModelDsl.Simulation;
using ModelDsl.Simulation.WhatIf;

namespace ModelDsl.Cli.Output;

/// <summary>A sweep as a table with bars, or for programs. Times are seconds, sizes bytes.</summary>
internal static class SweepReport
{
    private const int BarWidth = 30;

    public static string Text(ImmutableArray<SweepAxis> axes, ImmutableArray<SweepPoint> points)
    {
        var lines = new PlanLines();
        var names = axes.Select(axis => axis.Path).ToArray();
        var widths = names.Select((name, i) => points.Select(point => point.Values[i].Length).Append(name.Length).Max()).ToArray();
        string Row(IEnumerable<string> cells) => string.Join("  ", cells.Select((cell, i) => cell.PadLeft(widths[i])));
        var longest = points.Select(point => point.Plan?.PlannedSeconds ?? 0).Max();
        lines.Add($"{Row(names)}   GPUs  step s   memory GB  fits  bubble s  MFU     M$       step time");
        foreach (var point in points)
        {
            if (point.Plan is not { } plan)
            {
                lines.Add($"{Row(point.Values)}   {point.Problem}");
                continue;
            }
            var bar = new string('#', (int)Math.Round(BarWidth * plan.PlannedSeconds / longest));
            var dollars = plan.Cost.Dollars is { } price ? (price / 1e6).ToString("0.000", CultureInfo.InvariantCulture) : "-";
            lines.Add($"{Row(point.Values)}  {plan.Train.Cluster.Gpus,5}  {plan.PlannedSeconds,6:0.00}  {plan.Memory.Peak / 1e9,10:0.0}  {(plan.Memory.Fits ? "yes" : "NO"),-4}  {Bubble(plan),8:0.00}  {plan.Throughput.MfuCausal,6:0.0%}  {dollars,-7}  {bar}");
        }
        lines.Add($"  MFU counts half of the attention matrix; the bubble is that of the rank that waits most.");
        return lines.ToString();
    }

    public static string Json(ImmutableArray<SweepAxis> axes, ImmutableArray<SweepPoint> points)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("sweep");
            json.WriteStartArray("axes");
            foreach (var axis in axes) json.WriteStringValue(axis.Path);
            json.WriteEndArray();
            json.WriteStartArray("points");
            foreach (var point in points)
            {
                json.WriteStartObject();
                json.WriteStartObject("values");
                for (var i = 0; i < axes.Length; i++) json.WriteString(axes[i].Path, point.Values[i]);
                json.WriteEndObject();
                json.WriteBoolean("possible", point.Plan is not null);
                if (point.Problem is not null) json.WriteString("problem", point.Problem);
                if (point.Plan is { } plan)
                {
                    json.WriteNumber("gpus", plan.Train.Cluster.Gpus);
                    json.WriteNumber("micro_batches", plan.Schedule.MicroBatches);
                    json.WriteNumber("micro_batch_size", plan.Train.Schedule.MicroBatchSize);
                    json.WriteNumber("step_seconds", plan.PlannedSeconds);
                    json.WriteNumber("bubble_seconds", Bubble(plan));
                    json.WriteNumber("memory_bytes", plan.Memory.Peak);
                    json.WriteBoolean("fits", plan.Memory.Fits);
                    json.WriteNumber("mfu_causal", plan.Throughput.MfuCausal);
                    json.WriteNumber("tokens_per_day", plan.Throughput.TokensPerDay);
                    json.WriteNumber("gpu_hours", plan.Cost.GpuHours);
                    if (plan.Cost.Dollars is { } dollars) json.WriteNumber("dollars", dollars);
                }
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static double Bubble(TrainingPlan plan) => Enumerable.Range(0, plan.Schedule.Ranks).Max(plan.Timeline.Bubble);
}
