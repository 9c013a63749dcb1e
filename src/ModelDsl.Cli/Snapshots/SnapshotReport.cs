using System.Text;
using DiffPlex.Renderer;

namespace ModelDsl.Cli.Snapshots;

/// <summary>Differences for people: a line for each file, and below it, if asked for, what changed inside, as a unified diff.</summary>
internal static class SnapshotReport
{
    // Of one file. The rest is one command away, and a changed tile size is in most lines of a kernel.
    private const int DiffLines = 40;

    public static string Write(SnapshotChanges changes, bool withDiff)
    {
        var report = new StringBuilder();
        foreach (var change in changes.All)
        {
            report.Append(change.State.ToString().ToLowerInvariant()).Append(": ").Append(change.File).Append(Explain(change)).Append('\n');
            if (withDiff && change is { Accepted: { } accepted, Now: { } now }) Append(report, Diff(change, accepted, now));
        }
        return report.ToString();
    }

    private static string Explain(SnapshotChange change) => change.State switch
    {
        SnapshotState.Renamed => $" (before: {change.Before})",
        SnapshotState.New => $" ({Lines(change.Now!)} lines)",
        SnapshotState.Stale => " (the model has no such kernel any more)",
        _ => "",
    };

    private static string[] Diff(SnapshotChange change, string accepted, string now) =>
        UnidiffRenderer.GenerateUnidiff(
                accepted, now, $"accepted/{change.Before ?? change.File}", $"now/{change.File}", ignoreWhitespace: false, ignoreCase: false, contextLines: 3)
            .Replace("\r", "", StringComparison.Ordinal).Split('\n');

    private static void Append(StringBuilder report, string[] lines)
    {
        var end = lines.Length;
        // A text's last line end gives an empty line of context.
        while (end > 0 && lines[end - 1].Trim().Length == 0) end--;
        foreach (var line in lines[..Math.Min(end, DiffLines)]) report.Append("  ").Append(line).Append('\n');
        if (end > DiffLines) report.Append($"  … and {end - DiffLines} more lines\n");
    }

    private static int Lines(string text) => text.Count(c => c == '\n');
}
