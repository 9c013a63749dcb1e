using System.Numerics;
using System.Security.Cryptography;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>Integers of 32 and 64 bits, packed ones, carry chains, SHA-256.</summary>
public sealed class IntegerTests : IDisposable
{
    private readonly CudaProgram _program = new("integers");

    public void Dispose() => _program.Dispose();

    [Fact]
    public void Every_intrinsic()
    {
        const int Threads = 96, Results = 40;
        uint[] a = Sample.Words(Threads, 1), b = Sample.Words(Threads, 2);
        (a[0], b[0], a[1], b[1], a[2]) = (0, 0, uint.MaxValue, uint.MaxValue, 0x80000000);
        using DeviceMemory da = _program.Upload(a), db = _program.Upload(b), output = _program.Zeros<ulong>(Results * Threads);
        _program.Run("integers", 1, Threads, da, db, output);
        ulong[] got = _program.Read<ulong>(output);
        for (int i = 0; i < Threads; i++)
        {
            ulong[] expected = Expected(a[i], b[i] | 1);
            for (int k = 0; k < Results; k++) Assert.True(expected[k] == got[i * Results + k], $"result {k} of 0x{a[i]:x}, 0x{b[i] | 1:x}: 0x{got[i * Results + k]:x}, expected 0x{expected[k]:x}");
        }
    }

    [Fact]
    public void Carries_go_through_long_numbers()
    {
        const int Threads = 32;
        uint[] a = Sample.Words(8 * Threads, 3), b = Sample.Words(8 * Threads, 4);
        Array.Fill(a, uint.MaxValue, 0, 16);
        b[0] = 1;
        using DeviceMemory da = _program.Upload(a), db = _program.Upload(b), output = _program.Zeros<uint>(17 * Threads);
        _program.Run("long_sum", 1, Threads, da, db, output);
        uint[] got = _program.Read<uint>(output);
        for (int t = 0; t < Threads; t++)
        {
            BigInteger Number(uint[] words, int first, int count) => Enumerable.Range(0, count).Aggregate(BigInteger.Zero, (n, k) => n + ((BigInteger)words[first + k] << (32 * k)));
            Assert.Equal((Number(a, 8 * t, 8) + Number(b, 8 * t, 8)) % (BigInteger.One << 256), Number(got, 17 * t, 8));
            Assert.Equal((Number(a, 8 * t, 4) - Number(b, 8 * t, 4) + (BigInteger.One << 128)) % (BigInteger.One << 128), Number(got, 17 * t + 8, 4));
            Assert.Equal(Number(a, 8 * t, 2) * Number(b, 8 * t, 2), Number(got, 17 * t + 12, 4));
        }
    }

    [Fact]
    public void Division_of_128_bits()
    {
        const int Threads = 64;
        uint[] words = Sample.Words(4 * Threads, 5), divisors = [.. Sample.Words(Threads, 6).Select((w, i) => Math.Max(1, w >> (i % 32)))];
        ulong[] numbers = [.. words.Chunk(2).Select(w => (ulong)w[0] << 32 | w[1])];
        using DeviceMemory a = _program.Upload(numbers), b = _program.Upload(divisors), q = _program.Zeros<ulong>(2 * Threads);
        _program.Run("long_division", 1, Threads, a, b, q);
        Assert.Equal(numbers.Chunk(2).SelectMany((n, i) =>
        {
            UInt128 quotient = new UInt128(n[0], n[1]) / divisors[i];
            return new[] { (ulong)(quotient >> 64), (ulong)quotient };
        }), _program.Read<ulong>(q));
    }

    [Fact]
    public void Sha_256()
    {
        const int Messages = 64;
        byte[] blocks = new byte[64 * Messages];
        var hashes = new List<byte>();
        for (int m = 0; m < Messages; m++)
        {
            byte[] text = [.. Enumerable.Range(0, m % 56).Select(i => (byte)(m * 31 + i * 7))];
            Span<byte> block = blocks.AsSpan(64 * m, 64);
            text.CopyTo(block);
            block[text.Length] = 0x80;
            block[62] = (byte)(text.Length * 8 >> 8);
            block[63] = (byte)(text.Length * 8);
            hashes.AddRange(SHA256.HashData(text));
        }
        using DeviceMemory input = _program.Upload(blocks), output = _program.Zeros<uint>(8 * Messages);
        _program.Run("sha256", 2, 32, input, output);
        Assert.Equal(hashes, _program.Read<uint>(output).SelectMany(word => BitConverter.GetBytes(word).Reverse()));
    }

    private static ulong[] Expected(uint x, uint y)
    {
        int s = (int)x, t = (int)y;
        ulong wide = (ulong)x << 32 | y, other = (ulong)y << 20 | x | 1;
        long signed = (long)wide, signedOther = (long)other;
        int shift = (int)(x & 63);
        return
        [
            wide / other, wide % other, (ulong)(signed / signedOther), (ulong)(signed % signedOther), (ulong)((UInt128)wide * other >> 64), (ulong)((Int128)signed * signedOther >> 64),
            unchecked(wide * other + 3), (ulong)x * y >> 32, (uint)((long)s * t >> 32), (ulong)BitOperations.PopCount(wide), (ulong)BitOperations.LeadingZeroCount(wide >> shift),
            (ulong)(wide << shift == 0 ? 0 : BitOperations.TrailingZeroCount(wide << shift) + 1), Reverse(wide, 64), Reverse(x, 32),
            Permute(x, y, 0x5140 ^ (x & 0x7777)), FunnelLeft(x, y, (int)(x & 31)), (uint)(((ulong)y << 32 | x) >> (int)Math.Min(y & 63, 32)),
            (uint)(Enumerable.Range(0, 4).Sum(k => (sbyte)(x >> 8 * k) * (sbyte)(y >> 8 * k)) + 7), (uint)(Enumerable.Range(0, 4).Sum(k => (byte)(x >> 8 * k) * (byte)(y >> 8 * k)) + 9),
            (uint)((short)x * (sbyte)y + (short)(x >> 16) * (sbyte)(y >> 8) + 5), (uint)((long)(ushort)x * (byte)(y >> 16) + (long)(x >> 16) * (byte)(y >> 24) + 5),
            unchecked((uint)Math.Abs((long)x - y) + 10), unchecked((uint)Math.Abs((long)s - t) + 3), unchecked((x & 0xFFFFFF) * (y & 0xFFFFFF)), (uint)unchecked((s << 8 >> 8) * (t << 8 >> 8)),
            Parts(x, y, 4, (p, q) => (byte)p + (byte)q), Parts(x, y, 2, (p, q) => Math.Clamp((short)p + (short)q, short.MinValue, short.MaxValue)), Parts(x, y, 4, (p, q) => Math.Abs((byte)p - (byte)q)),
            Parts(x, y, 4, (p, q) => (byte)p > (byte)q ? 255 : 0), Parts(x, y, 2, (p, q) => Math.Max((short)p, (short)q)), ((ulong)x + y) >> 1, (uint)(((long)s + t + 1) >> 1),
            x >> (int)(y & 31), (uint)(s >> (int)(y & 31)), wide >> shift, (ulong)(signed >> shift), (uint)(s / (long)t) | (ulong)(uint)(s % (long)t) << 32, x / y + ((ulong)(x % y) << 32),
            (uint)Math.Max(Math.Min(s, 100), -100), (x & y) ^ (~x | 0x0F0F0F0F) ^ (y & 0x33333333),
        ];
    }

    private static ulong Reverse(ulong x, int width) => Enumerable.Range(0, width).Aggregate(0UL, (r, k) => r | (x >> k & 1) << (width - 1 - k));

    private static uint FunnelLeft(uint low, uint high, int n) => (uint)((((ulong)high << 32 | low) << n) >> 32);

    private static uint Permute(uint x, uint y, uint selector) =>
        Enumerable.Range(0, 4).Aggregate(0u, (r, k) => r | (uint)(byte)(((ulong)y << 32 | x) >> (int)(8 * (selector >> 4 * k & 7))) << 8 * k);

    private static uint Parts(uint x, uint y, int parts, Func<uint, uint, int> operation)
    {
        int width = 32 / parts;
        uint mask = (1u << width) - 1;
        return Enumerable.Range(0, parts).Aggregate(0u, (r, k) => r | ((uint)operation(x >> width * k, y >> width * k) & mask) << width * k);
    }
}
