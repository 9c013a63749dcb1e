using ModelDsl.Cli.Input;
using ModelDsl.Cli.Output;
using ModelDsl.Compiler.Scheduling;

namespace ModelDsl.Cli.Snapshots;

/// <summary>A model's accepted snapshots on disk. Files of other models, and all others, are not looked at.</summary>
internal sealed class SnapshotFolder(string path)
{
    /// <exception cref="TroubleException">The folder or a file in it cannot be read.</exception>
    public SnapshotChanges Compare(ModelPlan plan, IReadOnlyList<Snapshot> now)
    {
        var changes = new List<SnapshotChange>();
        foreach (var snapshot in now)
        {
            var accepted = Read(snapshot.File);
            if (accepted != snapshot.Text) changes.Add(new SnapshotChange(snapshot.File, accepted, snapshot.Text));
        }

        var expected = now.Select(snapshot => snapshot.File).ToHashSet(StringComparer.Ordinal);
        changes.AddRange(Files().Where(file => Snapshot.IsOf(plan, file) && !expected.Contains(file))
            .Select(file => new SnapshotChange(file, Read(file), null)));
        return SnapshotChanges.Of(changes);
    }

    /// <summary>Writes first and deletes last: whatever happens in between, nothing is lost that is not written again by the next try.</summary>
    /// <exception cref="TroubleException">A file cannot be written or deleted.</exception>
    public void Accept(SnapshotChanges changes)
    {
        foreach (var change in changes.All)
            if (change.Now is { } text)
                AtomicFile.Write(PathOf(change.File), text);
        foreach (var change in changes.All)
            if (change.Before is { } before) Delete(before);
            else if (change.Now is null) Delete(change.File);
    }

    private void Delete(string file) => Try("delete", file, () =>
    {
        File.Delete(PathOf(file));
        return true;
    });

    private string PathOf(string file) => Path.Combine(path, file);

    private IEnumerable<string> Files()
    {
        if (File.Exists(path)) throw TroubleException.Failed($"'{path}' is a file; snapshots are kept in a folder");
        return Directory.Exists(path) ? Try("read", "", () => Directory.GetFiles(path).Select(file => Path.GetFileName(file))) : [];
    }

    /// <summary>A checkout may have given the lines other ends; null where there is no such file.</summary>
    private string? Read(string file) => File.Exists(PathOf(file))
        ? Try("read", file, () => File.ReadAllText(PathOf(file)).Replace("\r\n", "\n", StringComparison.Ordinal))
        : null;

    private T Try<T>(string what, string file, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw TroubleException.Failed($"cannot {what} '{PathOf(file)}': {trouble.Message}");
        }
    }
}
