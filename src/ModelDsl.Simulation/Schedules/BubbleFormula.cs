namespace ModelDsl.Simulation.Schedules;

/// <summary>The published bubble of a schedule (V3 report, table 2; the papers of the others), as a sum that people can follow.</summary>
/// <param name="Text"><c>(16/2 - 1) x (F&amp;B + B - 3W)</c>.</param>
/// <param name="Value">In the unit of the times.</param>
public sealed record BubbleFormula(string Text, double Value)
{
    public static BubbleFormula Of(Schedule schedule, OpTimes times)
    {
        var (f, w, fb) = (times.Forward, times.BackwardWeight, times.Overlapped);
        var b = times.BackwardInput + w;
        var ranks = schedule.Ranks;
        return schedule.Name switch
        {
            "dualpipe" => new($"({ranks}/2 - 1) x (F&B + B - 3W)", (ranks / 2 - 1) * (fb + b - 3 * w)),
            "dualpipev" => new($"({ranks} - 1) x (F&B + B - 3W)", (ranks - 1) * (fb + b - 3 * w)),
            "zb1p" => new($"({ranks} - 1) x (F + B - 2W)", (ranks - 1) * (f + b - 2 * w)),
            _ => new($"({ranks} - 1) x (F + B)", (ranks - 1) * (f + b)),
        };
    }
}
