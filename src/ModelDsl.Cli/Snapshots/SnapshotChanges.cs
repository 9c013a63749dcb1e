using System.Text.RegularExpressions;

namespace ModelDsl.Cli.Snapshots;

/// <summary>A snapshot that is not what was accepted.</summary>
/// <param name="File">Its name now; where there is none any more, the one on disk.</param>
/// <param name="Accepted">The text on disk; null: there is none.</param>
/// <param name="Now">What the model gives now; null: nothing.</param>
/// <param name="Before">The name on disk, where the kernel was the same but for its sizes.</param>
internal sealed record SnapshotChange(string File, string? Accepted, string? Now, string? Before = null)
{
    public SnapshotState State => (Accepted, Now) switch
    {
        (null, _) => SnapshotState.New,
        (_, null) => SnapshotState.Stale,
        _ => Before is null ? SnapshotState.Changed : SnapshotState.Renamed,
    };
}

internal enum SnapshotState
{
    Changed,
    Renamed,
    New,
    Stale,
}

/// <summary>All differences between what was accepted and what a model gives now, by file name.</summary>
internal sealed partial class SnapshotChanges
{
    private SnapshotChanges(IReadOnlyList<SnapshotChange> all) => All = all;

    public IReadOnlyList<SnapshotChange> All { get; }

    /// <summary><c>2 changed, 1 renamed, 1 stale</c>.</summary>
    public string Summary => string.Join(", ", Enum.GetValues<SnapshotState>()
        .Select(state => (Name: state.ToString().ToLowerInvariant(), Count: All.Count(change => change.State == state)))
        .Where(state => state.Count > 0)
        .Select(state => $"{state.Count} {state.Name}"));

    /// <summary>
    /// A kernel's name holds its sizes: a new file and a stale one that differ in numbers only are one kernel before and after.
    /// Of several such files, those with the most numbers in common belong together.
    /// </summary>
    public static SnapshotChanges Of(IEnumerable<SnapshotChange> differences)
    {
        var all = differences.OrderBy(change => change.File, StringComparer.Ordinal).ToList();
        var pairs =
            from now in all
            where now.State == SnapshotState.New
            from before in all
            where before.State == SnapshotState.Stale && Numbers().Replace(before.File, "#") == Numbers().Replace(now.File, "#")
            orderby Differing(before.File, now.File), now.File, before.File
            select (now, before);
        foreach (var (now, before) in pairs.ToList())
        {
            if (!all.Contains(now) || !all.Contains(before)) continue;
            all.Remove(before);
            all[all.IndexOf(now)] = now with { Accepted = before.Accepted, Before = before.File };
        }
        return new SnapshotChanges(all);
    }

    private static int Differing(string one, string other) =>
        Numbers().Matches(one).Zip(Numbers().Matches(other)).Count(pair => pair.First.Value != pair.Second.Value);

    [GeneratedRegex(@"\d+")]
    private static partial Regex Numbers();
}
