using System.Numerics;
using System.Runtime.InteropServices;
using ModelDsl.Runtime.Numerics;

namespace ModelDsl.Runtime.Checkpoints;

/// <summary>
/// Quantises weights as DeepSeek-V3 does (V3 report, section 3.3.2): per block (128 x 128 there) <c>scale = amax / 448</c> in float32,
/// <c>q = e4m3(w / scale)</c>. At a ragged edge a block is what is left.
/// </summary>
internal static class BlockQuantizer
{
    /// <summary>Quantises the rows of one row of blocks.</summary>
    /// <param name="codes">[rows, columns]</param>
    /// <param name="scales">[ceil(columns / blockColumns)]</param>
    public static void QuantizeStrip(WeightSource source, long firstRow, int rows, int blockColumns, Span<byte> codes, Span<float> scales)
    {
        Span<float> tile = new float[rows * Math.Min(blockColumns, source.Columns)];
        for (var column = 0; column < source.Columns; column += blockColumns)
        {
            var width = Math.Min(blockColumns, source.Columns - column);
            var amax = 0f;
            for (var row = 0; row < rows; row++)
            {
                var values = tile.Slice(row * width, width);
                source.Read(firstRow + row, column, values);
                amax = Math.Max(amax, MaxMagnitude(values));
            }
            // A block of zeros has no scale of its own; any one gives back zeros.
            var scale = amax / E4M3.Max is > 0 and var quotient ? quotient : 1;
            scales[column / blockColumns] = scale;
            for (var row = 0; row < rows; row++)
                E4M3.NarrowQuotients(tile.Slice(row * width, width), scale, codes.Slice(row * source.Columns + column, width));
        }
    }

    private static float MaxMagnitude(ReadOnlySpan<float> values)
    {
        var lanes = MemoryMarshal.Cast<float, Vector<float>>(values);
        var most = Vector<float>.Zero;
        foreach (var lane in lanes) most = Vector.Max(most, Vector.Abs(lane));
        var amax = 0f;
        for (var i = 0; i < Vector<float>.Count; i++) amax = Math.Max(amax, most[i]);
        foreach (var value in values[(lanes.Length * Vector<float>.Count)..]) amax = Math.Max(amax, Math.Abs(value));
        return amax;
    }
}
