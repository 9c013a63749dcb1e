using System.Globalization;
using System.Text;
using System.Text.Json;
using ModelDsl.Simulation.WhatIf;
using Spectre.Console;

namespace ModelDsl.Cli.Output;

/// <summary>The best layouts as a table, or for programs. Times are seconds, sizes bytes.</summary>
internal static class SearchReport
{
    private const int BarWidth = 24;

    /// <summary>Runs a search with a bar, on a terminal only; a pipe stays quiet.</summary>
    public static SearchResult Watch(IoContext io, Func<IProgress<(int Done, int Total)>?, SearchResult> search)
    {
        if (!io.IsTerminal) return search(null);
        var bar = Terminal.On(io.Error).Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn());
        return bar.Start(context => search(new Bar(context.AddTask("layouts"))));
    }

    public static string Text(SearchResult result)
    {
        var lines = new PlanLines();
        lines.Add($"{result.Tried:N0} layouts, {result.Fitting:N0} fit in the memory; {result.Front.Length} that no other beats in step time, memory and GPUs at once");
        if (result.Front.IsEmpty) return lines.ToString();
        lines.Add($"     GPUs  schedule      PP   EP  TP  micro-batches  size  step s   memory GB  MFU     M$       recompute             step time");
        var longest = result.Front.Max(layout => layout.StepSeconds);
        foreach (var found in result.Front) Line(found, found == result.Own ? "own" : "");
        if (result.Own is { } own && !result.Front.Contains(own)) Line(own, "own");
        lines.Add($"  PP, EP and TP are pipeline, expert and tensor ranks; size: sequences of a micro-batch; MFU counts half of the attention matrix.");
        lines.Add(result.Own is null
            ? (FormattableString)$"  The file's own layout is not among them: it does not fit, or something does not divide."
            : $"  own: the file's layout.");
        return lines.ToString();

        void Line(LayoutResult found, string mark)
        {
            var layout = found.Layout;
            var dollars = found.Dollars is { } price ? (price / 1e6).ToString("0.000", CultureInfo.InvariantCulture) : "-";
            var bar = new string('#', Math.Max(1, (int)Math.Round(BarWidth * found.StepSeconds / longest)));
            lines.Add($"{mark,3}  {found.Gpus,5}  {layout.Schedule,-11}  {layout.Pipeline,3}  {layout.Expert,3}  {layout.Tensor,2}  {found.MicroBatches,13}  {layout.MicroBatchSize,4}  {found.StepSeconds,6:0.00}  {found.MemoryBytes / 1e9,10:0.0}  {found.MfuCausal,6:0.0%}  {dollars,-7}  {layout.Recompute,-20}  {bar}");
        }
    }

    public static string Json(SearchResult result)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("search");
            json.WriteNumber("tried", result.Tried);
            json.WriteNumber("fitting", result.Fitting);
            json.WriteStartArray("front");
            foreach (var found in result.Front) Write(json, found);
            json.WriteEndArray();
            if (result.Own is { } own)
            {
                json.WritePropertyName("own");
                Write(json, own);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Write(Utf8JsonWriter json, LayoutResult found)
    {
        var layout = found.Layout;
        json.WriteStartObject();
        json.WriteNumber("gpus", found.Gpus);
        json.WriteNumber("nodes", layout.Nodes);
        json.WriteString("schedule", layout.Schedule);
        json.WriteNumber("pipeline", layout.Pipeline);
        json.WriteNumber("expert", layout.Expert);
        json.WriteNumber("tensor", layout.Tensor);
        json.WriteNumber("data_parallel", found.DataParallel);
        json.WriteNumber("micro_batches", found.MicroBatches);
        json.WriteNumber("micro_batch_size", layout.MicroBatchSize);
        json.WriteStartArray("recompute");
        foreach (var part in layout.Recompute.Split('+', StringSplitOptions.RemoveEmptyEntries)) json.WriteStringValue(part);
        json.WriteEndArray();
        json.WriteNumber("step_seconds", found.StepSeconds);
        json.WriteNumber("memory_bytes", found.MemoryBytes);
        json.WriteNumber("mfu_causal", found.MfuCausal);
        json.WriteNumber("gpu_hours", found.GpuHours);
        if (found.Dollars is { } dollars) json.WriteNumber("dollars", dollars);
        json.WriteEndObject();
    }

    private sealed class Bar(ProgressTask task) : IProgress<(int Done, int Total)>
    {
        public void Report((int Done, int Total) value) => task.MaxValue(value.Total).Value(Math.Max(task.Value, value.Done));
    }
}
