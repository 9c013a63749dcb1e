using System.Globalization;
using System.Text;
using System.Text.Json;
using ModelDsl.Cli.Benchmarking;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Cli.Execution;

/// <summary>What <c>dsmc exec</c> says when a kernel has run.</summary>
/// <param name="Time">Of the one run, by the host's clock.</param>
/// <param name="Median">Of those that were made to be timed.</param>
internal sealed record ExecReport(string Kernel, IDevice Device, Dim3 Grid, Dim3 Block, TimeSpan Time, KernelTime? Median, ulong? WarpInstructions)
{
    public string ToText()
    {
        var counted = WarpInstructions is { } count ? string.Create(CultureInfo.InvariantCulture, $", {count:N0} warp instructions") : "";
        if (Median is { } median) counted += string.Create(CultureInfo.InvariantCulture, $"; median {median.Median:0.00} us, least {median.Least:0.00} us");
        return string.Create(CultureInfo.InvariantCulture, $"{Kernel} on {Device.Name}: grid {Grid}, block {Block}, {Time.TotalMilliseconds:0.000} ms{counted}");
    }

    public string ToJson(IReadOnlyList<DeviceBuffer> buffers)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("kernel", Kernel);
            json.WriteString("device", Device.Name);
            Write(json, "grid", Grid);
            Write(json, "block", Block);
            json.WriteNumber("ms", Math.Round(Time.TotalMilliseconds, 4));
            if (Median is { } median)
            {
                json.WriteNumber("median_us", Math.Round(median.Median, 2));
                json.WriteNumber("least_us", Math.Round(median.Least, 2));
            }
            if (WarpInstructions is { } count) json.WriteNumber("warp_instructions", count);
            json.WriteStartArray("findings");
            foreach (var finding in (Device as VirtualDevice)?.Findings ?? []) json.WriteStringValue(finding.ToString());
            json.WriteEndArray();
            json.WriteStartArray("buffers");
            foreach (var buffer in buffers)
            {
                json.WriteStartObject();
                json.WriteString("name", buffer.Name);
                json.WriteString("dtype", buffer.Argument.Type.Name());
                json.WriteStartArray("shape");
                foreach (var size in buffer.Argument.Shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(text.ToArray());
    }

    private static void Write(Utf8JsonWriter json, string name, Dim3 size)
    {
        json.WriteStartArray(name);
        json.WriteNumberValue(size.X);
        json.WriteNumberValue(size.Y);
        json.WriteNumberValue(size.Z);
        json.WriteEndArray();
    }
}
