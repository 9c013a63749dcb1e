using System.Numerics;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

public sealed class IntegerTests : IDisposable
{
    private static readonly uint[] s_values = Values();
    private static readonly (uint A, uint B, uint C)[] s_triples = Triples();
    private readonly TestGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    public static TheoryData<string, Func<uint, uint, uint, uint>> Operations32 => new()
    {
        { "add.u32 %r4, %r1, %r2", (a, b, _) => a + b },
        { "add.sat.s32 %r4, %r1, %r2", (a, b, _) => (uint)(int)Math.Clamp((long)(int)a + (int)b, int.MinValue, int.MaxValue) },
        { "sub.s32 %r4, %r1, %r2", (a, b, _) => a - b },
        { "mul.lo.s32 %r4, %r1, %r2", (a, b, _) => a * b },
        { "mul.hi.u32 %r4, %r1, %r2", (a, b, _) => (uint)((ulong)a * b >> 32) },
        { "mul.hi.s32 %r4, %r1, %r2", (a, b, _) => (uint)((long)(int)a * (int)b >> 32) },
        { "mad.lo.s32 %r4, %r1, %r2, %r3", (a, b, c) => a * b + c },
        { "mad.hi.s32 %r4, %r1, %r2, %r3", (a, b, c) => (uint)((long)(int)a * (int)b >> 32) + c },
        { "div.u32 %r4, %r1, %r2", (a, b, _) => b == 0 ? uint.MaxValue : a / b },
        { "div.s32 %r4, %r1, %r2", (a, b, _) => b == 0 ? uint.MaxValue : (uint)((long)(int)a / (int)b) },
        { "rem.u32 %r4, %r1, %r2", (a, b, _) => b == 0 ? uint.MaxValue : a % b },
        { "rem.s32 %r4, %r1, %r2", (a, b, _) => b == 0 ? uint.MaxValue : (uint)((long)(int)a % (int)b) },
        { "min.s32 %r4, %r1, %r2", (a, b, _) => (uint)Math.Min((int)a, (int)b) },
        { "min.u32 %r4, %r1, %r2", (a, b, _) => Math.Min(a, b) },
        { "max.s32 %r4, %r1, %r2", (a, b, _) => (uint)Math.Max((int)a, (int)b) },
        { "max.u32 %r4, %r1, %r2", (a, b, _) => Math.Max(a, b) },
        { "abs.s32 %r4, %r1", (a, _, _) => (int)a < 0 ? 0 - a : a },
        { "neg.s32 %r4, %r1", (a, _, _) => 0 - a },
        { "and.b32 %r4, %r1, %r2", (a, b, _) => a & b },
        { "or.b32 %r4, %r1, %r2", (a, b, _) => a | b },
        { "xor.b32 %r4, %r1, %r2", (a, b, _) => a ^ b },
        { "not.b32 %r4, %r1", (a, _, _) => ~a },
        { "cnot.b32 %r4, %r1", (a, _, _) => a == 0 ? 1u : 0 },
        { "shl.b32 %r4, %r1, %r2", (a, b, _) => b > 31 ? 0 : a << (int)b },
        { "shr.u32 %r4, %r1, %r2", (a, b, _) => b > 31 ? 0 : a >> (int)b },
        { "shr.s32 %r4, %r1, %r2", (a, b, _) => (uint)((int)a >> (int)Math.Min(b, 31)) },
        { "shf.l.wrap.b32 %r4, %r1, %r2, %r3", (a, b, c) => (uint)((((ulong)b << 32 | a) << (int)(c & 31)) >> 32) },
        { "shf.l.clamp.b32 %r4, %r1, %r2, %r3", (a, b, c) => c >= 32 ? a : (uint)((((ulong)b << 32 | a) << (int)c) >> 32) },
        { "shf.r.wrap.b32 %r4, %r1, %r2, %r3", (a, b, c) => (uint)(((ulong)b << 32 | a) >> (int)(c & 31)) },
        { "shf.r.clamp.b32 %r4, %r1, %r2, %r3", (a, b, c) => c >= 32 ? b : (uint)(((ulong)b << 32 | a) >> (int)c) },
        { "bfe.u32 %r4, %r1, %r2, %r3", (a, b, c) => (uint)FieldU(a, b & 255, c & 255) },
        { "bfe.s32 %r4, %r1, %r2, %r3", (a, b, c) => FieldS(a, b & 255, c & 255) },
        { "bfi.b32 %r4, %r1, %r2, %r3, 7", (a, b, c) => Insert(a, b, c & 255, 7) },
        { "brev.b32 %r4, %r1", (a, _, _) => Convert.ToUInt32(new string(Convert.ToString(a, 2).PadLeft(32, '0').Reverse().ToArray()), 2) },
        { "clz.b32 %r4, %r1", (a, _, _) => (uint)BitOperations.LeadingZeroCount(a) },
        { "popc.b32 %r4, %r1", (a, _, _) => (uint)BitOperations.PopCount(a) },
        { "bfind.u32 %r4, %r1", (a, _, _) => a == 0 ? uint.MaxValue : (uint)BitOperations.Log2(a) },
        { "bfind.s32 %r4, %r1", (a, _, _) => ((int)a < 0 ? ~a : a) is var m && m == 0 ? uint.MaxValue : (uint)BitOperations.Log2(m) },
        { "bfind.shiftamt.u32 %r4, %r1", (a, _, _) => a == 0 ? uint.MaxValue : (uint)(31 - BitOperations.Log2(a)) },
        { "prmt.b32 %r4, %r1, %r2, %r3", Permute },
        { "lop3.b32 %r4, %r1, %r2, %r3, 0x96", (a, b, c) => a ^ b ^ c },
        { "lop3.b32 %r4, %r1, %r2, %r3, 0xCA", (a, b, c) => (a & b) | (~a & c) },
        { "lop3.b32 %r4, %r1, %r2, %r3, 0x1B", (a, b, c) => Minterms(0x1B, a, b, c) },
        { "sad.s32 %r4, %r1, %r2, %r3", (a, b, c) => (uint)Math.Abs((long)(int)a - (int)b) + c },
        { "mul24.lo.u32 %r4, %r1, %r2", (a, b, _) => (a & 0xFFFFFF) * (b & 0xFFFFFF) },
        { "setp.lo.u32 %p1, %r1, %r2; selp.b32 %r4, %r1, %r3, %p1", (a, b, c) => a < b ? a : c },
        { "slct.u32.s32 %r4, %r1, %r2, %r3", (a, b, c) => (int)c >= 0 ? a : b },
        { "set.gt.u32.s32 %r4, %r1, %r2", (a, b, _) => (int)a > (int)b ? uint.MaxValue : 0 },
        { "add.cc.u32 %r5, %r1, %r2; addc.u32 %r4, %r3, 0", (a, b, c) => c + (uint)(((ulong)a + b) >> 32) },
        { "sub.cc.u32 %r5, %r1, %r2; subc.u32 %r4, %r3, 0", (a, b, c) => c - (a < b ? 1u : 0) },
        { "cvt.u16.u32 %h1, %r1; cvt.u16.u32 %h2, %r2; add.u16 %h3, %h1, %h2; cvt.u32.u16 %r4, %h3", (a, b, _) => (ushort)(a + b) },
        { "cvt.u16.u32 %h1, %r1; cvt.u16.u32 %h2, %r2; mul.lo.s16 %h3, %h1, %h2; cvt.s32.s16 %r4, %h3", (a, b, _) => (uint)(short)(a * b) },
        { "cvt.u16.u32 %h1, %r1; cvt.u16.u32 %h2, %r2; mul.wide.s16 %r4, %h1, %h2", (a, b, _) => (uint)((short)a * (short)b) },
        { "cvt.u16.u32 %h1, %r1; cvt.u16.u32 %h2, %r2; max.s16 %h3, %h1, %h2; cvt.u32.u16 %r4, %h3", (a, b, _) => (ushort)Math.Max((short)a, (short)b) },
        { "cvt.u16.u32 %h1, %r1; shr.s16 %h3, %h1, %r2; cvt.u32.u16 %r4, %h3", (a, b, _) => (ushort)((short)a >> (int)Math.Min(b, 31)) },
        { "cvt.s32.s8 %r4, %r1", (a, _, _) => (uint)(sbyte)a },
        { "cvt.sat.s8.s32 %r4, %r1", (a, _, _) => (uint)Math.Clamp((int)a, -128, 127) },
        { "cvt.sat.u8.s32 %r4, %r1", (a, _, _) => (uint)Math.Clamp((int)a, 0, 255) },
        { "mov.b32 {%h1, %h2}, %r1; mov.b32 %r4, {%h2, %h1}", (a, _, _) => BitOperations.RotateLeft(a, 16) },
    };

    [Theory]
    [MemberData(nameof(Operations32))]
    public void Computes32Bits(string instruction, Func<uint, uint, uint, uint> expected)
    {
        uint[] result = _gpu.Map32(s_triples.Select(t => t.A).ToArray(), s_triples.Select(t => t.B).ToArray(), s_triples.Select(t => t.C).ToArray(), instruction + ";");
        for (int i = 0; i < result.Length; i++)
        {
            var (a, b, c) = s_triples[i];
            Assert.True(expected(a, b, c) == result[i], $"{instruction}: a=0x{a:x} b=0x{b:x} c=0x{c:x}: expected 0x{expected(a, b, c):x}, got 0x{result[i]:x}");
        }
    }

    public static TheoryData<string, Func<ulong, ulong, ulong, ulong>> Operations64 => new()
    {
        { "add.s64 %d4, %d1, %d2", (a, b, _) => a + b },
        { "sub.u64 %d4, %d1, %d2", (a, b, _) => a - b },
        { "mul.lo.u64 %d4, %d1, %d2", (a, b, _) => a * b },
        { "mul.hi.u64 %d4, %d1, %d2", (a, b, _) => (ulong)((UInt128)a * b >> 64) },
        { "mul.hi.s64 %d4, %d1, %d2", (a, b, _) => (ulong)((Int128)(long)a * (long)b >> 64) },
        { "mad.lo.u64 %d4, %d1, %d2, %d3", (a, b, c) => a * b + c },
        { "div.u64 %d4, %d1, %d2", (a, b, _) => b == 0 ? ulong.MaxValue : a / b },
        { "rem.s64 %d4, %d1, %d2", (a, b, _) => b == 0 ? ulong.MaxValue : (ulong)((Int128)(long)a % (long)b) },
        { "min.s64 %d4, %d1, %d2", (a, b, _) => (ulong)Math.Min((long)a, (long)b) },
        { "max.u64 %d4, %d1, %d2", (a, b, _) => Math.Max(a, b) },
        { "and.b64 %d4, %d1, %d2", (a, b, _) => a & b },
        { "not.b64 %d4, %d1", (a, _, _) => ~a },
        { "cvt.u32.u64 %r1, %d2; shl.b64 %d4, %d1, %r1", (a, b, _) => (uint)b > 63 ? 0 : a << (int)b },
        { "cvt.u32.u64 %r1, %d2; shr.s64 %d4, %d1, %r1", (a, b, _) => (ulong)((long)a >> (int)Math.Min((uint)b, 63)) },
        { "cvt.u32.u64 %r1, %d1; cvt.u32.u64 %r2, %d2; mul.wide.u32 %d4, %r1, %r2", (a, b, _) => (ulong)(uint)a * (uint)b },
        { "cvt.u32.u64 %r1, %d1; cvt.u32.u64 %r2, %d2; mul.wide.s32 %d4, %r1, %r2", (a, b, _) => (ulong)((long)(int)a * (int)b) },
        { "cvt.u32.u64 %r1, %d1; cvt.u32.u64 %r2, %d2; mad.wide.s32 %d4, %r1, %r2, %d3", (a, b, c) => (ulong)((long)(int)a * (int)b) + c },
        { "cvt.u32.u64 %r1, %d1; cvt.s64.s32 %d4, %r1", (a, _, _) => (ulong)(int)a },
        { "cvt.u32.u64 %r1, %d1; cvt.u64.u32 %d4, %r1", (a, _, _) => (uint)a },
        { "mov.b64 {%r1, %r2}, %d1; mov.b64 %d4, {%r2, %r1}", (a, _, _) => BitOperations.RotateLeft(a, 32) },
        { "popc.b64 %r1, %d1; cvt.u64.u32 %d4, %r1", (a, _, _) => (ulong)BitOperations.PopCount(a) },
        { "clz.b64 %r1, %d1; cvt.u64.u32 %d4, %r1", (a, _, _) => (ulong)BitOperations.LeadingZeroCount(a) },
        { "setp.lt.s64 %p1, %d1, %d2; selp.b64 %d4, %d1, %d3, %p1", (a, b, c) => (long)a < (long)b ? a : c },
        { "setp.ge.u64 %p1, %d1, %d2; selp.b64 %d4, %d1, %d3, %p1", (a, b, c) => a >= b ? a : c },
        { "add.cc.u64 %d5, %d1, %d2; addc.u64 %d4, %d3, 0", (a, b, c) => c + (ulong)(((UInt128)a + b) >> 64) },
    };

    [Theory]
    [MemberData(nameof(Operations64))]
    public void Computes64Bits(string instruction, Func<ulong, ulong, ulong, ulong> expected)
    {
        ulong[] a = s_triples.Select(t => ((ulong)t.A << 32) ^ t.B * 0x9E3779B97F4A7C15).Concat(new ulong[] { 0, 1, ulong.MaxValue, 1UL << 63, 5 }).ToArray();
        ulong[] b = s_triples.Select(t => t.C % 3 == 0 ? t.B % 70 : ((ulong)t.C << 32) + t.A).Concat(new ulong[] { 0, 0, ulong.MaxValue, ulong.MaxValue, 3 }).ToArray();
        ulong[] c = b.Reverse().ToArray();
        ulong[] result = _gpu.Map64(a, b, c, instruction + ";");
        for (int i = 0; i < result.Length; i++)
            Assert.True(expected(a[i], b[i], c[i]) == result[i], $"{instruction}: a=0x{a[i]:x} b=0x{b[i]:x} c=0x{c[i]:x}: expected 0x{expected(a[i], b[i], c[i]):x}, got 0x{result[i]:x}");
    }

    private static uint[] Values()
    {
        var random = new Random(7);
        return [0, 1, 2, 3, 5, 31, 32, 33, 64, 100, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, uint.MaxValue,
            .. Enumerable.Range(0, 40).Select(_ => (uint)random.NextInt64(1L << 32))];
    }

    private static (uint, uint, uint)[] Triples()
    {
        var random = new Random(3);
        return (from a in s_values from b in s_values select (a, b, s_values[random.Next(s_values.Length)])).ToArray();
    }

    private static ulong FieldU(ulong a, uint p, uint n) => p > 63 ? 0 : (a >> (int)p) & (n > 63 ? ulong.MaxValue : (1UL << (int)n) - 1);

    private static uint FieldS(uint a, uint p, uint n)
    {
        if (n == 0) return 0;
        // The bits above the field repeat its top bit, or bit 31 if the field runs past it.
        uint top = a >> (int)Math.Min(p + n - 1, 31) & 1, result = 0;
        for (int i = 0; i < 32; i++)
        {
            uint bit = i < n && p + i < 32 ? a >> (int)(p + i) & 1 : top;
            result |= bit << i;
        }
        return result;
    }

    private static uint Insert(uint a, uint b, uint p, uint n)
    {
        for (int i = 0; i < n && p + i < 32; i++) b = (b & ~(1u << (int)(p + i))) | ((a >> i & 1) << (int)(p + i));
        return b;
    }

    private static uint Permute(uint a, uint b, uint c)
    {
        byte[] bytes = [.. BitConverter.GetBytes(a), .. BitConverter.GetBytes(b)];
        var result = new byte[4];
        for (int i = 0; i < 4; i++)
        {
            uint nibble = c >> (4 * i) & 15;
            byte value = bytes[nibble & 7];
            result[i] = nibble < 8 ? value : (sbyte)value < 0 ? (byte)255 : (byte)0;
        }
        return BitConverter.ToUInt32(result);
    }

    private static uint Minterms(int table, uint a, uint b, uint c)
    {
        uint result = 0;
        for (int i = 0; i < 32; i++)
        {
            int index = (int)((a >> i & 1) << 2 | (b >> i & 1) << 1 | (c >> i & 1));
            result |= (uint)(table >> index & 1) << i;
        }
        return result;
    }
}
