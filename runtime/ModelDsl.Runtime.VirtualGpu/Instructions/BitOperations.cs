using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;
using V = System.Runtime.Intrinsics.Vector512<uint>;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Halves, bit fields, carries and logic tables.</summary>
internal static unsafe class BitOperations
{
    public readonly struct LowHalf : IUnary32 { public static V Apply(V a) => a & Vector512.Create(0xFFFFu); }

    public readonly struct HighHalf : IUnary32 { public static V Apply(V a) => a >> 16; }

    public readonly struct Pack16 : IBinary32 { public static V Apply(V a, V b) => (a & Vector512.Create(0xFFFFu)) | (b << 16); }

    public readonly struct PackBytes : IBinary32 { public static V Apply(V a, V b) => (a & Vector512.Create(0xFFu)) | ((b & Vector512.Create(0xFFu)) << 8); }

    public readonly struct SignExtend16 : IUnary32 { public static V Apply(V a) => IntegerOperations.Extend(a); }

    public readonly struct SignExtend8 : IUnary32 { public static V Apply(V a) => ((a << 24).AsInt32() >> 24).AsUInt32(); }

    public readonly struct LowByte : IUnary32 { public static V Apply(V a) => a & Vector512.Create(0xFFu); }

    public readonly struct Mul24S : IBinary32 { public static V Apply(V a, V b) => Cut24(a) * Cut24(b); }

    /// <summary>The upper 32 bits of the 48-bit product.</summary>
    public readonly struct Mul24High : IBinary32 { public static V Apply(V a, V b) => Wide.Map(a, b, static (x, y) => (uint)((ulong)(x & 0xFFFFFF) * (y & 0xFFFFFF) >> 16)); }

    public readonly struct Mul24HighS : IBinary32 { public static V Apply(V a, V b) => Wide.Map(a, b, static (x, y) => (uint)((long)((int)(x << 8) >> 8) * ((int)(y << 8) >> 8) >> 16)); }

    /// <summary><c>bmsk</c>: b ones from bit a on.</summary>
    public readonly struct MaskClamp : IBinary32 { public static V Apply(V a, V b) => Wide.Map(a, b, static (x, y) => Mask(Math.Min(x, 32), Math.Min(y, 32))); }

    public readonly struct MaskWrap : IBinary32 { public static V Apply(V a, V b) => Wide.Map(a, b, static (x, y) => Mask(x & 31, y & 31)); }

    /// <summary><c>szext</c>: the low b bits of a, extended.</summary>
    public readonly struct ZeroExtendClamp : IBinary32 { public static V Apply(V a, V b) => Wide.Map(a, b, static (x, y) => x & Mask(0, Math.Min(y, 32))); }

    public readonly struct ZeroExtendWrap : IBinary32 { public static V Apply(V a, V b) => Wide.Map(a, b, static (x, y) => x & Mask(0, y & 31)); }

    public readonly struct SignExtendClamp : IBinary32 { public static V Apply(V a, V b) => Wide.Map(a, b, static (x, y) => (uint)Extract(x, 0, Math.Min(y, 32), 31, true)); }

    public readonly struct SignExtendWrap : IBinary32 { public static V Apply(V a, V b) => Wide.Map(a, b, static (x, y) => (uint)Extract(x, 0, y & 31, 31, true)); }

    /// <summary><c>fns</c>: position of the c-th set bit of a from bit b on, upwards for positive c; all ones if there is none.</summary>
    public readonly struct FindNthSet : ITernary32 { public static V Apply(V a, V b, V c) => Wide.Map(a, b, c, static (x, y, n) => NthSet(x, (int)y, (int)n)); }

    public readonly struct PermuteForward : ITernary32 { public static V Apply(V a, V b, V c) => Wide.Map(a, b, c, static (x, y, n) => (uint)(((ulong)y << 32 | x) >> (int)(8 * (n & 3)))); }

    public readonly struct PermuteBackward : ITernary32 { public static V Apply(V a, V b, V c) => Wide.Map(a, b, c, static (x, y, n) => Bytes(x, y, n & 3, 0, 7, 6, 5)); }

    public readonly struct PermuteReplicate8 : ITernary32 { public static V Apply(V a, V b, V c) => Wide.Map(a, b, c, static (x, _, n) => 0x01010101u * (byte)(x >> (int)(8 * (n & 3)))); }

    public readonly struct PermuteReplicate16 : ITernary32 { public static V Apply(V a, V b, V c) => Wide.Map(a, b, c, static (x, _, n) => 0x00010001u * (ushort)(x >> (int)(16 * (n & 1)))); }

    public readonly struct PermuteEdgeLeft : ITernary32 { public static V Apply(V a, V b, V c) => Wide.Map(a, b, c, static (x, _, n) => Edge(x, n & 3, isLeft: true)); }

    public readonly struct PermuteEdgeRight : ITernary32 { public static V Apply(V a, V b, V c) => Wide.Map(a, b, c, static (x, _, n) => Edge(x, n & 3, isLeft: false)); }

    private static V Cut24(V a) => ((a << 8).AsInt32() >> 8).AsUInt32();

    private static uint Mask(uint from, uint count) => (uint)(((1UL << (int)count) - 1) << (int)from);

    private static uint NthSet(uint bits, int start, int n)
    {
        if (start is < 0 or > 31) return uint.MaxValue;
        if (n == 0) return (bits >> start & 1) != 0 ? (uint)start : uint.MaxValue;
        int step = n > 0 ? 1 : -1;
        for (int at = start, left = Math.Abs((long)n) > 32 ? 33 : Math.Abs(n); at is >= 0 and < 32; at += step)
            if ((bits >> at & 1) != 0 && --left == 0) return (uint)at;
        return uint.MaxValue;
    }

    /// <summary>Bytes n, n-1, n-2, n-3 of the pair, from the lowest byte of the result up.</summary>
    private static uint Bytes(uint x, uint y, uint n, int a, int b, int c, int e)
    {
        ulong pair = (ulong)y << 32 | x;
        uint At(int shift) => (byte)(pair >> (int)(8 * ((n + (uint)shift) & 7)));
        return At(a) | At(b) << 8 | At(c) << 16 | At(e) << 24;
    }

    /// <summary>Bytes in order, but none beyond byte n on its side.</summary>
    private static uint Edge(uint x, uint n, bool isLeft)
    {
        uint result = 0;
        for (uint k = 0; k < 4; k++) result |= (uint)(byte)(x >> (int)(8 * (isLeft ? Math.Max(k, n) : Math.Min(k, n)))) << (int)(8 * k);
        return result;
    }

    /// <summary>Bit field of a from bit b on, c bits long; bits beyond the top are zero or the sign.</summary>
    public readonly struct ExtractU : ITernary32 { public static V Apply(V a, V b, V c) => Wide.ShiftRight(a, LowByteOf(b)) & Ones(Inside(b, c)); }

    public readonly struct ExtractS : ITernary32
    {
        public static V Apply(V a, V b, V c)
        {
            V length = LowByteOf(c), ones = Ones(Inside(b, c));
            V top = Vector512.Min(LowByteOf(b) + length - V.One, Vector512.Create(31u));
            V sign = Vector512.Equals(Wide.ShiftRight(a, top) & V.One, V.One) & Vector512.GreaterThan(length, V.Zero);
            return (Wide.ShiftRight(a, LowByteOf(b)) & ones) | Vector512.AndNot(sign, ones);
        }
    }

    private static V LowByteOf(V a) => a & Vector512.Create(0xFFu);

    /// <summary>How much of a field from bit b on, c bits long, is inside of 32 bits.</summary>
    private static V Inside(V b, V c)
    {
        V word = Vector512.Create(32u);
        return Vector512.Min(LowByteOf(c), word - Vector512.Min(LowByteOf(b), word));
    }

    /// <summary>The n lowest bits, up to all 32.</summary>
    private static V Ones(V n) => Wide.ShiftLeft(V.One, n) - V.One;

    private static ulong Extract(ulong x, uint position, uint length, int top, bool signed)
    {
        int p = (int)(position & 0xFF), n = (int)(length & 0xFF);
        ulong sign = signed && n > 0 ? x >> Math.Min(p + n - 1, top) & 1 : 0;
        ulong value = p > top ? 0 : x >> p;
        int inside = Math.Min(n, Math.Max(0, top + 1 - p));
        ulong mask = inside >= 64 ? ulong.MaxValue : (1UL << inside) - 1;
        return (value & mask) | (sign != 0 ? ~mask : 0);
    }

    /// <summary><c>bfe</c> of 64 bits; position and length are 32-bit rows. <c>Slot</c>: signed.</summary>
    public static Instr* Extract64(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ((ulong*)(r + i->D))[lane] = Extract(((ulong*)(r + i->A))[lane], ((uint*)(r + i->B))[lane], ((uint*)(r + i->C))[lane], 63, i->Slot != 0);
        }
        return i + 1;
    }

    /// <summary><c>bfi</c> of 32 bits: low bits of A put into B at position C, length E.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Insert32(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        for (int half = 0; half < 2; half++)
        {
            V at = LowByteOf(Lanes.Load(r + i->C, half)), field = Wide.ShiftLeft(Ones(Vector512.Min(LowByteOf(Lanes.Load(r + i->E, half)), Vector512.Create(32u))), at);
            V result = Vector512.ConditionalSelect(field, Wide.ShiftLeft(Lanes.Load(r + i->A, half), at), Lanes.Load(r + i->B, half));
            Vector512.ConditionalSelect(Lanes.Mask32(mask, half), result, Lanes.Load(r + i->D, half)).Store((uint*)(r + i->D) + 16 * half);
        }
        return i + 1;
    }

    /// <summary><c>bfi</c> of 64 bits.</summary>
    public static Instr* Insert64(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ulong b = ((ulong*)(r + i->B))[lane];
            int p = (int)(((uint*)(r + i->C))[lane] & 0xFF), n = (int)(((uint*)(r + i->E))[lane] & 0xFF);
            if (p < 64 && n > 0)
            {
                ulong field = (n >= 64 ? ulong.MaxValue : (1UL << n) - 1) << p;
                b = (b & ~field) | ((((ulong*)(r + i->A))[lane] << p) & field);
            }
            ((ulong*)(r + i->D))[lane] = b;
        }
        return i + 1;
    }

    public enum Count { LeadingZeros, Ones, FindU, FindS, FindShiftU, FindShiftS }

    /// <summary>32-bit counts of the bits of a 64-bit row; <c>Imm</c> says which.</summary>
    public static Instr* Count64(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ulong x = ((ulong*)(r + i->A))[lane];
            Count count = (Count)i->Imm;
            if (count is Count.FindS or Count.FindShiftS) x ^= (ulong)((long)x >> 63);
            ((uint*)(r + i->D))[lane] = count switch
            {
                Count.LeadingZeros => (uint)Bits.LeadingZeroCount(x),
                Count.Ones => (uint)Bits.PopCount(x),
                Count.FindU or Count.FindS => (uint)(63 - Bits.LeadingZeroCount(x)),
                _ => x == 0 ? uint.MaxValue : (uint)Bits.LeadingZeroCount(x),
            };
        }
        return i + 1;
    }

    /// <summary><c>lop3</c>: the sum of the minterms set in <c>Imm</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Logic3(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        V low = Table(Lanes.Load(r + i->A, 0), Lanes.Load(r + i->B, 0), Lanes.Load(r + i->C, 0), (uint)i->Imm);
        V high = Table(Lanes.Load(r + i->A, 1), Lanes.Load(r + i->B, 1), Lanes.Load(r + i->C, 1), (uint)i->Imm);
        Lanes.Store(r + i->D, low, high, mask);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Table(V a, V b, V c, uint table)
    {
        // Shannon's expansion: bit 4a + 2b + c of the table.
        V when00 = Choose(c, table), when01 = Choose(c, table >> 2), when10 = Choose(c, table >> 4), when11 = Choose(c, table >> 6);
        return Vector512.ConditionalSelect(a, Vector512.ConditionalSelect(b, when11, when10), Vector512.ConditionalSelect(b, when01, when00));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Choose(V c, uint pair) => Vector512.ConditionalSelect(c, Vector512.Create(0 - (pair >> 1 & 1)), Vector512.Create(0 - (pair & 1)));

    /// <summary>D = A + B + carry C, carry out to predicate E (either may be negative: none). <c>Slot</c>: 64 bits.</summary>
    public static Instr* AddCarry(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        uint carryIn = i->C < 0 ? 0 : *(uint*)(r + i->C), carryOut = 0;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            UInt128 sum = (UInt128)Word(r + i->A, lane, i->Slot) + Word(r + i->B, lane, i->Slot) + (carryIn >> lane & 1);
            if ((sum >> (i->Slot != 0 ? 64 : 32)) != 0) carryOut |= 1u << lane;
            Put(r + i->D, lane, i->Slot, (ulong)sum);
        }
        if (i->E >= 0) Lanes.StorePredicate(r + i->E, carryOut, mask);
        return i + 1;
    }

    /// <summary>D = A - B - borrow. The flag is the carry of A + ~B, as hardware has it: set where there is no borrow, so that <c>addc</c> may follow.</summary>
    public static Instr* SubtractBorrow(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        uint borrowIn = i->C < 0 ? 0 : ~*(uint*)(r + i->C), borrowOut = 0;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            ulong a = Word(r + i->A, lane, i->Slot);
            UInt128 take = (UInt128)Word(r + i->B, lane, i->Slot) + (borrowIn >> lane & 1);
            if (take > a) borrowOut |= 1u << lane;
            Put(r + i->D, lane, i->Slot, a - (ulong)take);
        }
        if (i->E >= 0) Lanes.StorePredicate(r + i->E, ~borrowOut, mask);
        return i + 1;
    }

    private static ulong Word(byte* row, int lane, int wide) => wide != 0 ? ((ulong*)row)[lane] : ((uint*)row)[lane];

    private static void Put(byte* row, int lane, int wide, ulong value)
    {
        if (wide != 0) ((ulong*)row)[lane] = value;
        else ((uint*)row)[lane] = (uint)value;
    }
}
