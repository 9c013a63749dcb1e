using System.Runtime.InteropServices;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Numerics;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>What a timed kernel finds behind an address.</summary>
internal abstract record BenchBuffer
{
    /// <summary>So many elements, normally distributed: power, and with it the clock, depends on the bits that change.</summary>
    public sealed record Normal(long Count) : BenchBuffer;

    /// <summary>Integers that the kernel works by.</summary>
    public sealed record Integers(int[] Values) : BenchBuffer;

    /// <summary>Scales, all 1/100 to 2/100.</summary>
    public sealed record Scales(long Count) : BenchBuffer;

    /// <summary>Rows of an FP8 cache.</summary>
    public sealed record CacheRows(Fp8CacheRow Row, long Count) : BenchBuffer;
}

/// <summary>Fills device memory: a block of random numbers from the host, repeated on the device.</summary>
internal static class BenchData
{
    private const int BlockElements = 1 << 18;

    /// <summary>Standard deviation of E4M3 codes, as if the largest of a group of 128 had been scaled to 448.</summary>
    private const float E4M3Deviation = 160;

    public static DeviceMemory Allocate(IDevice device, IStream stream, BenchBuffer buffer, DType type)
    {
        var bytes = buffer switch
        {
            BenchBuffer.Integers integers => MemoryMarshal.AsBytes(integers.Values.AsSpan()).ToArray(),
            BenchBuffer.Normal normal => Normal(type, (int)Math.Min(BlockElements, normal.Count)),
            BenchBuffer.Scales scales => Scales((int)Math.Min(BlockElements, scales.Count)),
            BenchBuffer.CacheRows rows => CacheRows(rows.Row, (int)Math.Min(BlockElements / rows.Row.Bytes, rows.Count)),
            _ => throw new ArgumentOutOfRangeException(nameof(buffer)),
        };
        var all = buffer switch
        {
            BenchBuffer.Normal normal => normal.Count * type.Bytes(),
            BenchBuffer.Scales scales => scales.Count * sizeof(float),
            BenchBuffer.CacheRows rows => rows.Count * rows.Row.Bytes,
            _ => bytes.Length,
        };
        var memory = device.Allocate(all);
        stream.Upload(bytes, memory.Address);
        for (long there = bytes.Length; there < all; there *= 2) stream.Copy(memory.Address, memory.Address + (ulong)there, Math.Min(there, all - there));
        return memory;
    }

    private static byte[] Normal(DType type, int count)
    {
        var random = new Random(1);
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        switch (type)
        {
            case DType.E4M3:
                return [.. values.Select(value => E4M3.FromSingle(Math.Clamp(value * E4M3Deviation, -E4M3.Max, E4M3.Max)))];
            case DType.BF16:
                var narrow = new ushort[count];
                BFloat16.Narrow(values, narrow);
                return MemoryMarshal.AsBytes(narrow.AsSpan()).ToArray();
            default:
                return MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        }
    }

    private static byte[] CacheRows(Fp8CacheRow row, int count)
    {
        byte[] codes = Normal(DType.E4M3, count * row.KvRank), scales = Scales(count * row.Groups), keys = Normal(DType.BF16, count * row.RopeDim);
        var rows = new byte[count * row.Bytes];
        for (var i = 0; i < count; i++)
        {
            var to = rows.AsSpan(i * row.Bytes, row.Bytes);
            codes.AsSpan(i * row.KvRank, row.KvRank).CopyTo(to);
            scales.AsSpan(i * row.Groups * sizeof(float), row.Groups * sizeof(float)).CopyTo(to[row.KvRank..]);
            keys.AsSpan(i * row.RopeDim * 2, row.RopeDim * 2).CopyTo(to[row.RopeOffset..]);
        }
        return rows;
    }

    private static byte[] Scales(int count)
    {
        var random = new Random(2);
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = 0.01f * (1 + random.NextSingle());
        return MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
    }
}
