using System.Text;
using System.Text.Json;
using ModelDsl.Runtime.Profiling;

namespace ModelDsl.Cli.Output;

/// <summary>
/// A profile in the format that chrome://tracing and Perfetto read: a bar per step of a phase and in it a bar per launch, times in
/// microseconds since the run began.
/// </summary>
internal static class ChromeTrace
{
    public static string Write(RunProfile profile)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("displayTimeUnit", "ms");
            json.WriteStartArray("traceEvents");
            foreach (var step in profile.Steps)
            {
                Begin(json, ProfileText.NameOf(step.Phase), "phase", step.Start, step.Time);
                json.WriteEndObject();
            }

            foreach (var launch in profile.Launches)
            {
                Begin(json, launch.Kernel, ProfileText.NameOf(launch.Phase), launch.Start, launch.Time);
                json.WriteStartObject("args");
                json.WriteString("grid", launch.Grid.ToString());
                json.WriteString("block", launch.Block.ToString());
                json.WriteNumber("warp_instructions", launch.WarpInstructions);
                json.WritePropertyName("classes");
                ProfileJson.Write(json, launch.Mix);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Begin(Utf8JsonWriter json, string name, string category, TimeSpan start, TimeSpan time)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("cat", category);
        json.WriteString("ph", "X");
        json.WriteNumber("ts", start.TotalMicroseconds);
        json.WriteNumber("dur", time.TotalMicroseconds);
        json.WriteNumber("pid", 1);
        json.WriteNumber("tid", 1);
    }
}
