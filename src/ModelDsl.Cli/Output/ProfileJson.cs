using System.Text;
using System.Text.Json;
using ModelDsl.Runtime.Profiling;

namespace ModelDsl.Cli.Output;

/// <summary>A profile as JSON: totals inside a run's result, or every launch in Chrome's trace format.</summary>
internal static class ProfileJson
{
    /// <summary>Writes the value of a property: an array of phases.</summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<PhaseCost> phases)
    {
        json.WriteStartArray();
        foreach (var phase in phases)
        {
            json.WriteStartObject();
            json.WriteString("phase", ProfileText.NameOf(phase.Phase));
            json.WriteNumber("steps", phase.Steps);
            json.WriteNumber("ms", Ms(phase.Time));
            json.WriteNumber("host_ms", Ms(phase.HostTime));
            json.WriteStartArray("kernels");
            foreach (var kernel in phase.Kernels)
            {
                json.WriteStartObject();
                json.WriteString("name", kernel.Name);
                json.WriteNumber("launches", kernel.Launches);
                json.WriteNumber("ms", Ms(kernel.Time));
                json.WriteNumber("warp_instructions", kernel.WarpInstructions);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>A row per phase, a bar per launch, times in microseconds.</summary>
    public static string Trace(IReadOnlyList<LaunchRecord> launches)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("traceEvents");
            foreach (var launch in launches)
            {
                json.WriteStartObject();
                json.WriteString("name", launch.Kernel);
                json.WriteString("cat", ProfileText.NameOf(launch.Phase));
                json.WriteString("ph", "X");
                json.WriteNumber("ts", launch.Start.TotalMicroseconds);
                json.WriteNumber("dur", launch.Time.TotalMicroseconds);
                json.WriteNumber("pid", 1);
                json.WriteNumber("tid", (int)launch.Phase);
                json.WriteStartObject("args");
                json.WriteString("grid", launch.Grid.ToString());
                json.WriteNumber("warp_instructions", launch.WarpInstructions);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static double Ms(TimeSpan time) => Math.Round(time.TotalMilliseconds, 4);
}
