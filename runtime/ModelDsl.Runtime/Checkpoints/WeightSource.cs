namespace ModelDsl.Runtime.Checkpoints;

/// <summary>A checkpoint tensor seen as a matrix of numbers: FP8 codes are multiplied by their block's scale.</summary>
/// <param name="scales">One per block of <paramref name="blockRows"/> x <paramref name="blockColumns"/>; null for all but FP8.</param>
internal sealed class WeightSource(StoredTensor tensor, int columns, float[]? scales, int blockRows, int blockColumns)
{
    private readonly int _scaleColumns = (columns + blockColumns - 1) / blockColumns;

    public StoredTensor Tensor => tensor;

    public int Columns => columns;

    /// <summary>True where the stored codes and scales are what the device wants.</summary>
    public bool HasBlocksOf(WeightScales wanted) =>
        tensor.Type == StorageType.F8E4M3 && blockRows == wanted.BlockRows && blockColumns == wanted.BlockColumns;

    /// <summary>Row-major scales of the blocks.</summary>
    public ReadOnlySpan<float> Scales => scales;

    /// <summary>Part of a row, as float32; exact but for the product with a scale.</summary>
    public void Read(long row, int column, Span<float> destination)
    {
        tensor.ReadFloats(row * columns + column, destination);
        if (scales is null) return;
        var scaleRow = scales.AsSpan((int)(row / blockRows) * _scaleColumns, _scaleColumns);
        for (var i = 0; i < destination.Length;)
        {
            var block = (column + i) / blockColumns;
            var run = destination.Slice(i, Math.Min(destination.Length - i, (block + 1) * blockColumns - column - i));
            var scale = scaleRow[block];
            for (var j = 0; j < run.Length; j++) run[j] *= scale;
            i += run.Length;
        }
    }
}
