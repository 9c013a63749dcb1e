using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;

namespace ModelDsl.Runtime.Checkpoints;

/// <summary>One mapped safetensors file. Its pages are read when they are touched, so opening 160 shards costs their headers.</summary>
internal sealed unsafe class SafetensorsFile : IDisposable
{
    private const long LargestHeader = 100_000_000;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;

    private byte* _start;

    private SafetensorsFile(MemoryMappedFile map, long length)
    {
        _map = map;
        _view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    public List<StoredTensor> Tensors { get; } = [];

    /// <exception cref="CheckpointException">The file cannot be read or is not well-formed.</exception>
    public static SafetensorsFile Open(string path)
    {
        SafetensorsFile? file = null;
        try
        {
            // A pipe has no bytes yet, and to open one would wait for somebody to write.
            if (new FileInfo(path).Length == 0) throw new CheckpointException(path, null, "has 0 bytes and can hold no safetensors header");
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            var length = stream.Length;
            if (length < 8)
            {
                stream.Dispose();
                throw new CheckpointException(path, null, $"has {length} bytes and can hold no safetensors header");
            }
            var map =
                MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            file = new SafetensorsFile(map, length);
            file.ReadHeader(path, length);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, null, "cannot be read: " + e.Message, e);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_start is null) return;
        _start = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }

    private void ReadHeader(string path, long length)
    {
        var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(_start, 8));
        if (headerBytes > LargestHeader || (long)headerBytes > length - 8)
            throw new CheckpointException(
                path, null, $"claims a header of {headerBytes} bytes in a file of {length}; it is cut off or no safetensors file");
        var data = _start + 8 + headerBytes;
        var json = new ReadOnlySpan<byte>(_start + 8, (int)headerBytes);
        foreach (var header in SafetensorsHeader.Parse(path, json, length - 8 - (long)headerBytes))
            Tensors.Add(new StoredTensor(header, path, data + header.Begin));
    }
}
