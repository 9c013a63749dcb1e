using System.IO.MemoryMappedFiles;

namespace ModelDsl.Fuzz;

/// <summary>
/// Watches from outside: an input that is not done in half a minute ends the process, and one that ends the process by itself (an
/// overflowing stack, a wild pointer) is found in a file afterwards.
/// </summary>
internal sealed class HangGuard : IDisposable
{
    private const int MostBytes = 4 << 20;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly string _name;
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly Timer _timer;
    private long _since;

    public HangGuard(string name, string? folder)
    {
        _name = name;
        if (folder is not null)
        {
            Directory.CreateDirectory(folder);
            LastInput = Path.Combine(folder, $"{name}-last.bin");
            _file = MemoryMappedFile.CreateFromFile(LastInput, FileMode.Create, null, MostBytes + 4);
            _view = _file.CreateViewAccessor();
        }

        _timer = new Timer(_ => Look(), null, 1000, 1000);
    }

    /// <summary>Four bytes of length, then the input.</summary>
    private string? LastInput { get; }

    public void Begin(byte[] input)
    {
        _view?.Write(0, Math.Min(input.Length, MostBytes));
        _view?.WriteArray(4, input, 0, Math.Min(input.Length, MostBytes));
        Volatile.Write(ref _since, Environment.TickCount64);
    }

    public void End() => Volatile.Write(ref _since, 0);

    public void Dispose()
    {
        _timer.Dispose();
        _view?.Dispose();
        _file?.Dispose();
        if (LastInput is not null) File.Delete(LastInput);
    }

    private void Look()
    {
        var since = Volatile.Read(ref _since);
        if (since == 0 || Environment.TickCount64 - since < Longest.TotalMilliseconds) return;
        Console.Error.WriteLine($"{_name}: an input is not done after {Longest.TotalSeconds} s; it is in {LastInput ?? "memory only"}");
        Environment.Exit(70);
    }
}
