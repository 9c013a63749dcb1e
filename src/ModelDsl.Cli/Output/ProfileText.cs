using System.Globalization;
using System.Text;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Profiling;

namespace ModelDsl.Cli.Output;

/// <summary>A profile as tables: the phases first, then the kernels of each, then what kinds of instructions they are made of.</summary>
internal static class ProfileText
{
    // Kernels that together take the last hundredth of a phase are one line.
    private const double Negligible = 0.01;

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static string Render(IReadOnlyList<PhaseCost> phases)
    {
        var text = new StringBuilder();
        Table(text, ["phase", "steps", "ms", "ms/step", "kernels ms", "host ms"], phases.Select(phase => new[]
        {
            NameOf(phase.Phase), Count(phase.Steps), Ms(phase.Time), Ms(phase.Time / phase.Steps), Ms(phase.KernelTime), Ms(phase.HostTime),
        }));
        foreach (var phase in phases.Where(phase => phase.Kernels.Count > 0))
        {
            text.Append('\n');
            Table(text, [$"{NameOf(phase.Phase)}: kernel", "launches", "ms", "share", "us/launch", "warp instr.", "Minstr./s"], Rows(phase));
        }

        foreach (var phase in phases.Where(phase => phase.Mix.Total > 0))
        {
            text.Append('\n');
            Table(text, [$"{NameOf(phase.Phase)}: class", "warp instr.", "share", "mostly in"], Classes(phase));
        }

        return text.ToString();
    }

    public static string NameOf(InstructionClass kind) => kind.ToString().ToLowerInvariant();

    public static string NameOf(RunPhase phase) => phase.ToString().ToLowerInvariant();

    private static IEnumerable<string[]> Rows(PhaseCost phase)
    {
        var left = phase.KernelTime;
        var shown = 0;
        foreach (var kernel in phase.Kernels)
        {
            if (left < phase.KernelTime * Negligible && phase.Kernels.Count - shown > 1) break;
            yield return Row(kernel, phase);
            left -= kernel.Time;
            shown++;
        }

        var rest = phase.Kernels.Skip(shown).ToArray();
        if (rest.Length > 0)
            yield return Row(new KernelTotal($"{rest.Length} others", rest.Sum(k => k.Launches), left, rest.Aggregate(0UL, (sum, k) => sum + k.WarpInstructions)), phase);
        yield return Row(new KernelTotal("host", phase.Steps, phase.HostTime, 0), phase);
    }

    private static IEnumerable<string[]> Classes(PhaseCost phase) =>
        Enum.GetValues<InstructionClass>().Where(kind => phase.Mix.Of(kind) > 0).OrderByDescending(kind => phase.Mix.Of(kind)).Select(kind => new[]
        {
            NameOf(kind),
            phase.Mix.Of(kind).ToString("N0", Invariant),
            ((double)phase.Mix.Of(kind) / phase.Mix.Total).ToString("0.0%", Invariant),
            phase.Kernels.MaxBy(kernel => kernel.Mix.Of(kind))!.Name,
        });

    private static string[] Row(KernelTotal kernel, PhaseCost phase) =>
    [
        kernel.Name,
        Count(kernel.Launches),
        Ms(kernel.Time),
        (kernel.Time / phase.Time).ToString("0.0%", Invariant),
        (kernel.Time / kernel.Launches).TotalMicroseconds.ToString("0.0", Invariant),
        kernel.WarpInstructions == 0 ? "" : kernel.WarpInstructions.ToString("N0", Invariant),
        kernel.WarpInstructions == 0 ? "" : (kernel.WarpInstructions / kernel.Time.TotalMicroseconds).ToString("0", Invariant),
    ];

    private static string Count(int number) => number.ToString("N0", Invariant);

    private static string Ms(TimeSpan time) => time.TotalMilliseconds.ToString("N2", Invariant);

    /// <summary>First column to the left, numbers to the right; nothing is cut, whatever the terminal's width.</summary>
    private static void Table(StringBuilder text, string[] head, IEnumerable<string[]> rows)
    {
        string[][] lines = [head, .. rows];
        var widths = head.Select((_, column) => lines.Max(line => line[column].Length)).ToArray();
        foreach (var line in lines)
        {
            text.Append(line[0].PadRight(widths[0]));
            for (var column = 1; column < line.Length; column++) text.Append("  ").Append(line[column].PadLeft(widths[column]));
            while (text[^1] == ' ') text.Length--;
            text.Append('\n');
        }
    }
}
