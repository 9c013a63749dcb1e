using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Numerics;

namespace ModelDsl.Runtime.Checkpoints;

/// <summary>
/// Fills a device arena with the weights of a checkpoint, converted to what the plan wants. What is stored that way already is
/// uploaded from the mapped file; the rest goes through one staging buffer, converted on all cores.
/// </summary>
public sealed class WeightLoader
{
    private const int StagingBytes = 64 << 20;
    private const int LargestUpload = 1 << 30;
    private const int StripRows = 128;
    private const long ParallelElements = 1 << 17;

    private readonly IStream _stream;
    private readonly ulong _arena;
    private byte[] _staging = [];

    private WeightLoader(IStream stream, ulong arena) => (_stream, _arena) = (stream, arena);

    /// <param name="arena">Device address that the offsets of <paramref name="weights"/> count from.</param>
    /// <param name="ignoredPrefixes">Tensors that may be there without being used, such as those of an MTP module.</param>
    /// <exception cref="CheckpointException">Checkpoint and model do not fit; one message names every tensor at fault.</exception>
    public static void Load(
        Checkpoint checkpoint,
        IReadOnlyList<WeightBinding> weights,
        IReadOnlyList<string> ignoredPrefixes,
        IStream stream,
        ulong arena,
        IProgress<LoadProgress>? progress = null)
    {
        var inventory = new WeightInventory(checkpoint, weights, ignoredPrefixes);
        var loader = new WeightLoader(stream, arena);
        var total = weights.Sum(weight => weight.Parts.Sum(part => (long)part.Rows * weight.Columns * weight.ElementBytes));
        var done = 0L;
        foreach (var weight in weights)
        {
            loader.ClearPadding(weight);
            foreach (var part in weight.Parts)
            {
                loader.LoadPart(weight, part, inventory[part.Tensor]);
                progress?.Report(new LoadProgress(done += (long)part.Rows * weight.Columns * weight.ElementBytes, total));
            }
        }
        stream.Synchronize();
    }

    private void ClearPadding(WeightBinding weight)
    {
        if (!weight.HasPadding) return;
        _stream.Fill(_arena + (ulong)weight.Offset, 0, weight.Bytes);
        if (weight.Scales is { } scales) _stream.Fill(_arena + (ulong)scales.Offset, 0, scales.Rows * ScaleRowBytes(weight, scales));
    }

    private void LoadPart(WeightBinding weight, WeightPart part, WeightSource source)
    {
        var destination = _arena + (ulong)(weight.Offset + (long)part.Row * weight.Columns * weight.ElementBytes);
        if (weight.Scales is { } scales) LoadQuantized(weight, part, source, destination, scales);
        else if (source.Tensor.Type == (weight.Type == WeightType.F32 ? StorageType.F32 : StorageType.BF16))
            UploadAsStored(source, destination);
        else Convert(weight, part, StripRows, destination, (first, rows, output) => Widen(weight, source, first, rows, output));
    }

    private void LoadQuantized(WeightBinding weight, WeightPart part, WeightSource source, ulong destination, WeightScales scales)
    {
        var scaleDestination = _arena + (ulong)(scales.Offset + part.ScaleRow * ScaleRowBytes(weight, scales));
        if (source.HasBlocksOf(scales))
        {
            UploadAsStored(source, destination);
            _stream.Upload(MemoryMarshal.AsBytes(source.Scales), scaleDestination);
            return;
        }
        var width = (int)(ScaleRowBytes(weight, scales) / sizeof(float));
        var found = new float[(part.Rows + scales.BlockRows - 1) / scales.BlockRows * width];
        Convert(weight, part, scales.BlockRows, destination, (first, rows, codes) =>
            BlockQuantizer.QuantizeStrip(
                source, first, rows, scales.BlockColumns, codes, found.AsSpan(first / scales.BlockRows * width, width)));
        _stream.Upload(MemoryMarshal.AsBytes(found.AsSpan()), scaleDestination);
    }

    private void UploadAsStored(WeightSource source, ulong destination)
    {
        for (var offset = 0L; offset < source.Tensor.Bytes; offset += LargestUpload)
            _stream.Upload(
                source.Tensor.Slice(offset, (int)Math.Min(LargestUpload, source.Tensor.Bytes - offset)), destination + (ulong)offset);
    }

    private void Convert(WeightBinding weight, WeightPart part, int stripRows, ulong destination, StripConverter convert)
    {
        var rowBytes = weight.Columns * weight.ElementBytes;
        var chunkRows = (int)Math.Min(part.Rows, Math.Max(1, StagingBytes / (long)rowBytes / stripRows) * stripRows);
        if (_staging.Length < chunkRows * rowBytes) _staging = new byte[chunkRows * rowBytes];
        for (var first = 0; first < part.Rows; first += chunkRows)
        {
            var start = first;
            var rows = Math.Min(chunkRows, part.Rows - first);
            var strips = (rows + stripRows - 1) / stripRows;
            void ConvertStrip(int strip)
            {
                var row = strip * stripRows;
                var count = Math.Min(stripRows, rows - row);
                convert(start + row, count, _staging.AsSpan(row * rowBytes, count * rowBytes));
            }
            if ((long)rows * weight.Columns >= ParallelElements) Parallel.For(0, strips, ConvertStrip);
            else for (var strip = 0; strip < strips; strip++) ConvertStrip(strip);
            _stream.Upload(_staging.AsSpan(0, rows * rowBytes), destination + (ulong)((long)first * rowBytes));
        }
    }

    private static void Widen(WeightBinding weight, WeightSource source, int firstRow, int rows, Span<byte> destination)
    {
        if (weight.Type == WeightType.F32)
        {
            var values = MemoryMarshal.Cast<byte, float>(destination);
            for (var row = 0; row < rows; row++) source.Read(firstRow + row, 0, values.Slice(row * weight.Columns, weight.Columns));
            return;
        }
        var codes = MemoryMarshal.Cast<byte, ushort>(destination);
        var floats = new float[weight.Columns];
        for (var row = 0; row < rows; row++)
        {
            source.Read(firstRow + row, 0, floats);
            BFloat16.Narrow(floats, codes.Slice(row * weight.Columns, weight.Columns));
        }
    }

    private static long ScaleRowBytes(WeightBinding weight, WeightScales scales) =>
        (weight.Columns + scales.BlockColumns - 1) / scales.BlockColumns * sizeof(float);

    private delegate void StripConverter(int firstRow, int rows, Span<byte> destination);
}
