namespace ModelDsl.Runtime.Files;

/// <summary>
/// A file on its way: written beside its place under another name, and moved there when it is whole. One that is not kept is deleted, also
/// when the process is told to end meanwhile.
/// </summary>
public sealed class TemporaryFile : IDisposable
{
    private readonly string _target;
    private readonly EventHandler _ending;
    private readonly Lock _gate = new();
    private bool _done;

    /// <param name="target">Where the file is to be; its folder must be there.</param>
    public TemporaryFile(string target)
    {
        _target = target;
        Path = $"{target}.{Environment.ProcessId}.tmp";
        _ending = (_, _) => Dispose();
        AppDomain.CurrentDomain.ProcessExit += _ending;
    }

    /// <summary>Where to write.</summary>
    public string Path { get; }

    /// <summary>Moves the file to its place, over what is there.</summary>
    public void Keep()
    {
        lock (_gate)
        {
            if (_done) return;
            File.Move(Path, _target, overwrite: true);
            _done = true;
        }
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= _ending;
        lock (_gate)
        {
            if (_done) return;
            _done = true;
            File.Delete(Path);
        }
    }
}
