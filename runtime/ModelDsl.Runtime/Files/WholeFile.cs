namespace ModelDsl.Runtime.Files;

/// <summary>Reads files of whatever kind to their end, if they have one: a device may go on forever, a pipe may never begin.</summary>
public static class WholeFile
{
    /// <summary>How long a pipe may be silent.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <param name="most">Most bytes the file may have; of a longer one none are read, or (of what does not know its length) no more.</param>
    /// <exception cref="FileTooLargeException">It has more bytes.</exception>
    /// <exception cref="IOException">It cannot be read, or nothing comes from it.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    public static byte[] Read(string path, long most)
    {
        var length = new FileInfo(path).Length;
        if (length > most) throw new FileTooLargeException(path, length, most);
        if (length > 0) return File.ReadAllBytes(path);
        // Empty, or a pipe or device, for which the system says the same. To open a pipe waits for a writer, so somebody else does it.
        var reading = Task.Run(() => ReadStream(path, most));
        try
        {
            if (reading.Wait(Patience)) return reading.Result;
        }
        catch (AggregateException failure) when (failure.InnerException is { } inner)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(inner);
        }

        throw new IOException($"nothing came from it in {Patience.TotalSeconds} seconds");
    }

    private static byte[] ReadStream(string path, long most)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        var all = new MemoryStream();
        var part = new byte[1 << 16];
        while (stream.Read(part) is > 0 and var count)
        {
            all.Write(part, 0, count);
            if (all.Length > most) throw new FileTooLargeException(path, all.Length, most);
        }

        return all.ToArray();
    }
}

/// <summary>A file has more bytes than anything sensible of its kind.</summary>
public sealed class FileTooLargeException(string path, long bytes, long most) : IOException($"'{path}' has {bytes} bytes or more; at most {most} are read")
{
    /// <summary>As far as is known.</summary>
    public long Bytes { get; } = bytes;
}
