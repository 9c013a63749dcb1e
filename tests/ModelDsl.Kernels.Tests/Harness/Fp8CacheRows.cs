using ModelDsl.Compiler.Specs;

namespace ModelDsl.Kernels.Tests.Harness;

/// <summary>FlashMLA's FP8 cache from its definition: 512 codes, a scale for each 128 of them, 64 BF16.</summary>
public static class Fp8CacheRows
{
    private const int Rank = 512, Rope = 64, Width = Rank + Rope, Group = 128;

    private static readonly Fp8CacheRow Row = new(Rank, Rope);

    /// <param name="cache">Rows of 576; those that are not numbers become codes and scales that are none.</param>
    /// <returns>The bytes, and what they stand for as BF16.</returns>
    public static (byte[] Bytes, float[] Values) Of(float[] cache, bool powerOfTwo = false)
    {
        var (bytes, values) = (new byte[cache.Length / Width * Row.Bytes], new float[cache.Length]);
        for (var row = 0; row < cache.Length / Width; row++)
        {
            var from = cache.AsSpan(row * Width, Width);
            var to = bytes.AsSpan(row * Row.Bytes, Row.Bytes);
            for (var group = 0; group < Row.Groups; group++)
            {
                var most = 1e-4f;
                foreach (var x in from.Slice(group * Group, Group)) most = float.IsNaN(x) ? x : Math.Max(most, Math.Abs(x));
                var scale = most / Formats.LargestE4M3;
                if (powerOfTwo) scale = (float)Math.Pow(2, Math.Ceiling(Math.Log2(scale)));
                BitConverter.TryWriteBytes(to[(Rank + 4 * group)..], scale);
                for (var i = group * Group; i < (group + 1) * Group; i++)
                {
                    to[i] = Formats.ToE4M3(from[i] / scale);
                    values[row * Width + i] = Formats.RoundBF16(Formats.FromE4M3(to[i]) * scale);
                }
            }
            for (var i = 0; i < Rope; i++)
            {
                BitConverter.TryWriteBytes(to[(Row.RopeOffset + 2 * i)..], Formats.ToBF16(from[Rank + i]));
                values[row * Width + Rank + i] = Formats.RoundBF16(from[Rank + i]);
            }
        }
        return (bytes, values);
    }
}
