using ModelDsl.Cli.Input;

namespace ModelDsl.Cli.Output;

/// <summary>
/// All files of a build, or none: they are written into a folder of their own first and then moved to their places, which takes no time in
/// which much could go wrong; if something does, what was there before comes back. Files of an earlier build that this one does not have
/// any more go as well.
/// </summary>
internal sealed class OutputFolder
{
    private static readonly Lock Gate = new();

    private readonly string _folder, _staging;
    private readonly List<(string Place, string? Saved)> _moved = [];

    private OutputFolder(string folder)
    {
        _folder = Path.GetFullPath(folder);
        _staging = Path.Combine(_folder, $".dsmc-{Environment.ProcessId}.tmp");
    }

    /// <summary>Whoever ends the process waits here for files that are being written: then there is nothing half done.</summary>
    public static void Finish()
    {
        lock (Gate)
        {
        }
    }

    /// <param name="files">Paths within the folder, and their text.</param>
    /// <param name="stale">Paths within the folder that an earlier build wrote.</param>
    /// <exception cref="TroubleException">Something cannot be written; the folder is as it was.</exception>
    public static void Write(string folder, IReadOnlyList<(string Path, string Text)> files, IEnumerable<string> stale)
    {
        lock (Gate)
        {
            try
            {
                new OutputFolder(folder).Write(files, [.. stale.Except(files.Select(file => file.Path), StringComparer.Ordinal)]);
            }
            catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
            {
                throw TroubleException.Failed($"cannot write to '{folder}': {trouble.Message}");
            }
        }
    }

    private void Write(IReadOnlyList<(string Path, string Text)> files, IReadOnlyList<string> stale)
    {
        var made = FirstMissing(_folder);
        try
        {
            foreach (var (path, text) in files)
            {
                if (Directory.Exists(Place(path))) throw new IOException($"'{path}' is a folder there");
                File.WriteAllText(Prepared(_staging, path), text, AtomicFile.Utf8);
            }

            foreach (var (path, _) in files) Put(path);
            foreach (var path in stale) Save(path);
        }
        catch
        {
            PutBack();
            Clear();
            if (made is not null && Directory.Exists(made)) Directory.Delete(made, recursive: true);
            throw;
        }

        Clear();
    }

    private void Put(string path)
    {
        Save(path);
        File.Move(Path.Combine(_staging, path), Prepared(_folder, path));
    }

    /// <summary>Takes what is at a place out of the way.</summary>
    private void Save(string path)
    {
        var (place, saved) = (Place(path), default(string));
        if (File.Exists(place)) File.Move(place, saved = Prepared(Path.Combine(_staging, "before"), path));
        _moved.Add((place, saved));
    }

    private void PutBack()
    {
        foreach (var (place, saved) in Enumerable.Reverse(_moved))
        {
            File.Delete(place);
            if (saved is not null) File.Move(saved, place);
        }
    }

    private void Clear()
    {
        if (Directory.Exists(_staging)) Directory.Delete(_staging, recursive: true);
    }

    /// <exception cref="IOException">The path leads out of the folder.</exception>
    private string Place(string path)
    {
        var place = Path.GetFullPath(path, _folder);
        if (!place.StartsWith(Path.TrimEndingDirectorySeparator(_folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new IOException($"'{path}' lies outside of it");
        return place;
    }

    private static string Prepared(string folder, string path)
    {
        var full = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        return full;
    }

    /// <summary>The outermost folder that is not there yet; null where all are.</summary>
    private static string? FirstMissing(string folder)
    {
        string? missing = null;
        for (var at = folder; at is not null && !Directory.Exists(at); at = Path.GetDirectoryName(at)) missing = at;
        return missing;
    }
}
