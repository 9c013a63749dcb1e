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
    private const int StripRows = WeightBinding.Block;
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
            foreach (var part in weight.Parts)
            {
                loader.LoadPart(weight, part, inventory[part.Tensor]);
                progress?.Report(new LoadProgress(done += (long)part.Rows * weight.Columns * weight.ElementBytes, total));
            }
        stream.Synchronize();
    }

    private void LoadPart(WeightBinding weight, WeightPart part, WeightSource source)
    {
        var destination = _arena + (ulong)(weight.Offset + (long)part.Row * weight.Columns * weight.ElementBytes);
        var scales = _arena + (ulong)(weight.ScaleOffset + (long)part.ScaleRow * weight.ScaleColumns * sizeof(float));
        if (IsStoredAs(weight.Type, source))
        {
            for (var offset = 0L; offset < source.Tensor.Bytes; offset += LargestUpload)
                _stream.Upload(source.Tensor.Slice(offset, (int)Math.Min(LargestUpload, source.Tensor.Bytes - offset)), destination + (ulong)offset);
            if (weight.Type == WeightType.E4M3) _stream.Upload(MemoryMarshal.AsBytes(source.Scales), scales);
        }
        else
        {
            Convert(weight, part, source, destination, scales);
        }
    }

    private static bool IsStoredAs(WeightType type, WeightSource source) => type switch
    {
        WeightType.F32 => source.Tensor.Type == StorageType.F32,
        WeightType.BF16 => source.Tensor.Type == StorageType.BF16,
        _ => source.IsBlockScaledE4M3,
    };

    private void Convert(WeightBinding weight, WeightPart part, WeightSource source, ulong destination, ulong scaleDestination)
    {
        var rowBytes = weight.Columns * weight.ElementBytes;
        var chunkRows = (int)Math.Min(part.Rows, Math.Max(1, StagingBytes / (long)rowBytes / StripRows) * StripRows);
        if (_staging.Length < chunkRows * rowBytes) _staging = new byte[chunkRows * rowBytes];
        var scales = weight.Type == WeightType.E4M3 ? new float[(part.Rows + StripRows - 1) / StripRows * weight.ScaleColumns] : [];

        for (var first = 0; first < part.Rows; first += chunkRows)
        {
            var rows = Math.Min(chunkRows, part.Rows - first);
            var start = first;
            var strips = (rows + StripRows - 1) / StripRows;
            void ConvertStrip(int strip)
            {
                var stripStart = strip * StripRows;
                var stripRows = Math.Min(StripRows, rows - stripStart);
                WeightLoader.ConvertStrip(
                    weight, source, start + stripStart, stripRows, _staging.AsSpan(stripStart * rowBytes, stripRows * rowBytes), scales);
            }
            if ((long)rows * weight.Columns >= ParallelElements) Parallel.For(0, strips, ConvertStrip);
            else for (var strip = 0; strip < strips; strip++) ConvertStrip(strip);
            _stream.Upload(_staging.AsSpan(0, rows * rowBytes), destination + (ulong)((long)first * rowBytes));
        }
        if (scales.Length > 0) _stream.Upload(MemoryMarshal.AsBytes(scales.AsSpan()), scaleDestination);
    }

    private static void ConvertStrip(WeightBinding weight, WeightSource source, int firstRow, int rows, Span<byte> destination, float[] scales)
    {
        if (weight.Type == WeightType.E4M3)
        {
            BlockQuantizer.QuantizeStrip(
                source, firstRow, rows, destination, scales.AsSpan(firstRow / StripRows * weight.ScaleColumns, weight.ScaleColumns));
            return;
        }
        var floats = weight.Type == WeightType.F32 ? MemoryMarshal.Cast<byte, float>(destination) : new float[weight.Columns];
        for (var row = 0; row < rows; row++)
        {
            if (weight.Type == WeightType.F32)
            {
                source.Read(firstRow + row, 0, floats.Slice(row * weight.Columns, weight.Columns));
                continue;
            }
            source.Read(firstRow + row, 0, floats);
            BFloat16.Narrow(floats, MemoryMarshal.Cast<byte, ushort>(destination.Slice(row * weight.Columns * 2, weight.Columns * 2)));
        }
    }
}
