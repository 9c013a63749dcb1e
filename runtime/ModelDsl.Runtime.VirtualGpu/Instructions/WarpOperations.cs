using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Exchange between the lanes of a warp: <c>shfl</c>, <c>vote</c>, <c>match</c>, <c>redux</c>.</summary>
internal static unsafe class WarpOperations
{
    public enum ShuffleMode { Up, Down, Butterfly, Index }

    /// <summary>
    /// D = A of another lane; B is the offset or lane, C the clamp and segment mask, E the member mask row, F the predicate
    /// that says whether the other lane was in range (negative: not wanted). <c>Imm</c> is the mode.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Shuffle(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        if (!Ready(warp, i, mask, i->E)) return Warp.Yield;
        Vector512<uint> low = Lanes.Load(r + i->A, 0), high = Lanes.Load(r + i->A, 1), lane = Lanes.Numbers;
        ShuffleMode mode = (ShuffleMode)i->Imm;
        Vector512<uint> first = Source(mode, lane, Lanes.Load(r + i->B, 0), Lanes.Load(r + i->C, 0), out uint inFirst);
        Vector512<uint> second = Source(mode, lane + Vector512.Create(16u), Lanes.Load(r + i->B, 1), Lanes.Load(r + i->C, 1), out uint inSecond);
        Lanes.Store(r + i->D, Pick(low, first, high), Pick(low, second, high), mask);
        if (i->F >= 0) Lanes.StorePredicate(r + i->F, inFirst | (inSecond << 16), mask);
        return i + 1;
    }

    /// <summary>
    /// <c>shfl.bfly</c> over all lanes with a constant: D = A of lane n ^ <c>Imm</c>, member mask row E. Whole groups of eight lanes change places,
    /// and lanes within them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Instr* Exchange(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        if (!Ready(warp, i, mask, i->E)) return Warp.Yield;
        uint* a = (uint*)(r + i->A);
        Vector256<uint> within = Vector256<uint>.Indices ^ Vector256.Create((uint)i->Imm & 7);
        ulong group = i->Imm & 24;
        Vector256<uint> x0 = Eight(a + group, within), x1 = Eight(a + (8 ^ group), within), x2 = Eight(a + (16 ^ group), within), x3 = Eight(a + (24 ^ group), within);
        Lanes.Store(r + i->D, Vector512.Create(x0, x1), Vector512.Create(x2, x3), mask);
        return i + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Eight(uint* lanes, Vector256<uint> index) => Avx2.IsSupported
        ? Avx2.PermuteVar8x32(Vector256.Load(lanes), index)
        : Vector256.Shuffle(Vector256.Load(lanes), index);

    /// <summary>The lane each of 16 lanes reads; itself where that would be outside its segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Source(ShuffleMode mode, Vector512<uint> lane, Vector512<uint> b, Vector512<uint> c, out uint inRange)
    {
        Vector512<uint> five = Vector512.Create(31u), segment = (c >> 8) & five;
        b &= five;
        Vector512<uint> limit = (lane & segment) | Vector512.AndNot(c & five, segment);
        Vector512<uint> from = mode switch
        {
            ShuffleMode.Up => lane - b,
            ShuffleMode.Down => lane + b,
            ShuffleMode.Butterfly => lane ^ b,
            _ => (lane & segment) | Vector512.AndNot(b, segment),
        };
        // Signed: an upward shuffle may look before lane 0.
        Vector512<uint> valid = mode == ShuffleMode.Up
            ? Vector512.GreaterThanOrEqual(from.AsInt32(), limit.AsInt32()).AsUInt32()
            : Vector512.LessThanOrEqual(from.AsInt32(), limit.AsInt32()).AsUInt32();
        inRange = (uint)valid.ExtractMostSignificantBits();
        return Vector512.ConditionalSelect(valid, from, lane) & five;
    }

    /// <summary>Elements of two vectors by number, 0 to 31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Pick(Vector512<uint> low, Vector512<uint> index, Vector512<uint> high)
    {
        return Avx512F.IsSupported ? Avx512F.PermuteVar16x32x2(low, index, high) : PickPortably(low, index, high);
    }

    private static Vector512<uint> PickPortably(Vector512<uint> low, Vector512<uint> index, Vector512<uint> high)
    {
        if (Avx2.IsSupported) return Vector512.Create(PickEight(low, index.GetLower(), high), PickEight(low, index.GetUpper(), high));
        uint* words = stackalloc uint[32], numbers = stackalloc uint[16];
        low.Store(words);
        high.Store(words + 16);
        index.Store(numbers);
        for (int n = 0; n < 16; n++) numbers[n] = words[numbers[n] & 31];
        return Vector512.Load(numbers);
    }

    /// <summary>The element out of each of four vectors, then the one of the right vector: bits 3 and 4 of the number choose it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> PickEight(Vector512<uint> low, Vector256<uint> index, Vector512<uint> high)
    {
        Vector256<uint> a = Avx2.PermuteVar8x32(low.GetLower(), index), b = Avx2.PermuteVar8x32(low.GetUpper(), index);
        Vector256<uint> c = Avx2.PermuteVar8x32(high.GetLower(), index), d = Avx2.PermuteVar8x32(high.GetUpper(), index);
        Vector256<float> odd = (index << 28).AsSingle(), upper = (index << 27).AsSingle();
        return Avx.BlendVariable(Avx.BlendVariable(a.AsSingle(), b.AsSingle(), odd), Avx.BlendVariable(c.AsSingle(), d.AsSingle(), odd), upper).AsUInt32();
    }

    public enum VoteMode { All, Any, Uniform, Ballot }

    /// <summary>D = vote over predicate A (flipped by <c>Slot</c>) of the members in row E.</summary>
    public static Instr* Vote(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        if (!Ready(warp, i, mask, i->E)) return Warp.Yield;
        for (uint left = mask; left != 0;)
        {
            uint group = Group(r, i, left);
            left &= ~group;
            VoteOf(r, i, group);
        }
        return i + 1;
    }

    private static void VoteOf(byte* r, Instr* i, uint group)
    {
        uint members = Members(r, i, group) & group;
        uint votes = (*(uint*)(r + i->A) ^ (uint)i->Slot) & members;
        if ((VoteMode)i->Imm == VoteMode.Ballot)
        {
            Vector512<uint> value = Vector512.Create(votes);
            Lanes.Store(r + i->D, value, value, group);
            return;
        }
        bool holds = (VoteMode)i->Imm switch
        {
            VoteMode.All => votes == members,
            VoteMode.Any => votes != 0,
            _ => votes == 0 || votes == members,
        };
        Lanes.StorePredicate(r + i->D, holds ? Lanes.All : 0, group);
    }

    public enum ReduxMode { Add, MinU, MaxU, MinS, MaxS, And, Or, Xor }

    /// <summary>D = reduction of A over the members in row E.</summary>
    public static Instr* Reduce(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        if (!Ready(warp, i, mask, i->E)) return Warp.Yield;
        for (uint left = mask; left != 0;)
        {
            uint group = Group(r, i, left);
            left &= ~group;
            ReduceOf(r, i, group);
        }
        return i + 1;
    }

    private static void ReduceOf(byte* r, Instr* i, uint group)
    {
        uint members = Members(r, i, group) & group;
        uint* source = (uint*)(r + i->A);
        uint result = source[Bits.TrailingZeroCount(members)];
        for (uint left = members & (members - 1); left != 0; left &= left - 1)
        {
            uint value = source[Bits.TrailingZeroCount(left)];
            result = (ReduxMode)i->Imm switch
            {
                ReduxMode.Add => result + value,
                ReduxMode.MinU => Math.Min(result, value),
                ReduxMode.MaxU => Math.Max(result, value),
                ReduxMode.MinS => (uint)Math.Min((int)result, (int)value),
                ReduxMode.MaxS => (uint)Math.Max((int)result, (int)value),
                ReduxMode.And => result & value,
                ReduxMode.Or => result | value,
                _ => result ^ value,
            };
        }
        Vector512<uint> all = Vector512.Create(result);
        Lanes.Store(r + i->D, all, all, group);
    }

    /// <summary><c>match.any</c> (or <c>.all</c>, when <c>Imm</c> is one, with predicate F): lanes whose A is the same. <c>Slot</c>: A has 64 bits.</summary>
    public static Instr* Match(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        if (!Ready(warp, i, mask, i->E)) return Warp.Yield;
        for (uint left = mask; left != 0;)
        {
            uint group = Group(r, i, left);
            left &= ~group;
            MatchOf(r, i, group);
        }
        return i + 1;
    }

    private static void MatchOf(byte* r, Instr* i, uint group)
    {
        uint members = Members(r, i, group) & group, everyone = 0;
        uint* found = stackalloc uint[32];
        for (uint left = members; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            uint same = 0;
            for (uint others = members; others != 0; others &= others - 1)
            {
                int other = Bits.TrailingZeroCount(others);
                if (Value(r, i, lane) == Value(r, i, other)) same |= 1u << other;
            }
            found[lane] = same;
            if (same == members) everyone = members;
        }
        if (i->Imm == 0)
        {
            Lanes.Store(r + i->D, Vector512.Load(found), Vector512.Load(found + 16), members);
            return;
        }
        Vector512<uint> result = Vector512.Create(everyone);
        Lanes.Store(r + i->D, result, result, group);
        if (i->F >= 0) Lanes.StorePredicate(r + i->F, everyone != 0 ? Lanes.All : 0, group);
    }

    /// <summary><c>elect.sync</c>: the lowest lane of the members in row E leads; its number to D, who it is to predicate F.</summary>
    public static Instr* Elect(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        if (!Ready(warp, i, mask, i->E)) return Warp.Yield;
        for (uint left = mask; left != 0;)
        {
            uint group = Group(r, i, left);
            left &= ~group;
            int leader = Bits.TrailingZeroCount(Members(r, i, group) & group);
            Vector512<uint> number = Vector512.Create((uint)leader);
            Lanes.Store(r + i->D, number, number, group);
            if (i->F >= 0) Lanes.StorePredicate(r + i->F, 1u << leader, group);
        }
        return i + 1;
    }

    private static ulong Value(byte* r, Instr* i, int lane) => i->Slot != 0 ? ((ulong*)(r + i->A))[lane] : ((uint*)(r + i->A))[lane];

    private static uint Members(byte* r, Instr* i, uint mask) => i->E < 0 ? Lanes.All : ((uint*)(r + i->E))[Bits.TrailingZeroCount(mask)];

    /// <summary>The lanes that name the same members as the first of them: each such group is on its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Group(byte* r, Instr* i, uint lanes)
    {
        if (i->E < 0) return lanes;
        Vector512<uint> members = Vector512.Create(Members(r, i, lanes));
        uint low = (uint)Vector512.Equals(Lanes.Load(r + i->E, 0), members).ExtractMostSignificantBits();
        uint high = (uint)Vector512.Equals(Lanes.Load(r + i->E, 1), members).ExtractMostSignificantBits();
        return lanes & (low | (high << 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Ready(Warp* warp, Instr* i, uint mask, int row) => warp->Active == warp->Alive || row < 0 || IsConverged(warp, i, mask);

    /// <summary>Whether everybody is here whom any of the lanes names.</summary>
    private static bool IsConverged(Warp* warp, Instr* i, uint mask)
    {
        uint* row = (uint*)(warp->Registers + i->E);
        uint members = 0;
        for (uint left = mask; left != 0; left &= left - 1) members |= row[Bits.TrailingZeroCount(left)];
        return WarpScheduler.Converged(warp, i, members);
    }
}
