using System.Text.Json;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Profiling;

namespace ModelDsl.Cli.Output;

/// <summary>A profile as JSON: totals inside a run's result.</summary>
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
                json.WritePropertyName("classes");
                Write(json, kernel.Mix);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WritePropertyName("classes");
            Write(json, phase.Mix);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Writes a value: the counts of a mix by the names of the classes.</summary>
    public static void Write(Utf8JsonWriter json, InstructionMix mix)
    {
        json.WriteStartObject();
        foreach (var kind in Enum.GetValues<InstructionClass>())
            if (mix.Of(kind) > 0) json.WriteNumber(ProfileText.NameOf(kind), mix.Of(kind));
        json.WriteEndObject();
    }

    private static double Ms(TimeSpan time) => Math.Round(time.TotalMilliseconds, 4);
}
