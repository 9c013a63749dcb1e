using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>A line for each case, as text or as JSON; printed as it comes, since a run on a lent machine may be cut off.</summary>
internal sealed class BenchReport(TextWriter output, bool json, Ceilings? ceilings)
{
    public void Start(string device)
    {
        if (json)
        {
            Write(writer =>
            {
                writer.WriteString("device", device);
                if (ceilings is null) return;
                writer.WriteNumber("copy_gb_per_s", Math.Round(ceilings.CopyBytes / 1e3));
                writer.WriteNumber("fp8_tflops", Math.Round(ceilings.Fp8 / 1e6));
                writer.WriteNumber("bf16_tflops", Math.Round(ceilings.BF16 / 1e6));
                writer.WriteNumber("launch_us", Math.Round(ceilings.Launch, 2));
            });
            return;
        }
        var reached = ceilings is null ? "" : Line($": copies {ceilings.CopyBytes / 1e3:0} GB/s, FP8 products {ceilings.Fp8 / 1e6:0} TFLOP/s, BF16 products {ceilings.BF16 / 1e6:0} TFLOP/s, an empty kernel {ceilings.Launch:0.0} us");
        output.WriteLine(device + reached);
        output.WriteLine($"{"operation",-30} {"shape",-44} {"us",9} {"least",9} {"TFLOP/s",8} {"GB/s",6} {"floor",9} {"of it",6} {"copy",9} {"of it",6}  kernel");
    }

    /// <param name="copy">Microseconds of a copy of as many bytes, where that is the measure.</param>
    public void Add(BenchCase work, KernelTime time, double? copy)
    {
        var floor = ceilings?.Floor(work);
        if (json)
        {
            Write(writer =>
            {
                writer.WriteString("operation", work.Operation);
                writer.WriteString("shape", work.Shape);
                writer.WriteString("kernel", work.Kernel.Name);
                writer.WriteNumber("us", Math.Round(time.Median, 2));
                writer.WriteNumber("least_us", Math.Round(time.Least, 2));
                writer.WriteNumber("tflops", Math.Round(work.Flops / time.Median / 1e6, 1));
                writer.WriteNumber("gb_per_s", Math.Round(work.Bytes / time.Median / 1e3));
                if (copy is { } measured) writer.WriteNumber("copy_us", Math.Round(measured, 2));
                if (floor is not { } known) return;
                writer.WriteNumber("floor_us", Math.Round(known.Microseconds, 2));
                writer.WriteString("bound", known.Bound);
            });
            return;
        }
        var flops = work.Flops > 0 ? Line($"{work.Flops / time.Median / 1e6:0.0}") : "";
        var bound = Share(floor?.Microseconds, time) + " " + Share(copy, time);
        output.WriteLine(Line($"{work.Operation,-30} {work.Shape,-44} {time.Median,9:0.0} {time.Least,9:0.0} {flops,8} {work.Bytes / time.Median / 1e3,6:0} {bound}  {work.Kernel.Name}"));
    }

    /// <summary>A kernel that the device refuses, or that faults.</summary>
    public void Fail(BenchCase work, string why)
    {
        if (json)
            Write(writer =>
            {
                writer.WriteString("operation", work.Operation);
                writer.WriteString("shape", work.Shape);
                writer.WriteString("kernel", work.Kernel.Name);
                writer.WriteString("failed", why);
            });
        else
            output.WriteLine($"{work.Operation,-30} {work.Shape,-44} failed: {why}  {work.Kernel.Name}");
    }

    private static string Share(double? least, KernelTime time) => least is { } known ? Line($"{known,9:0.0} {known / time.Median,6:0%}") : Line($"{"",9} {"",6}");

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private void Write(Action<Utf8JsonWriter> members)
    {
        using var text = new MemoryStream();
        using (var writer = new Utf8JsonWriter(text))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(text.ToArray()));
    }
}
