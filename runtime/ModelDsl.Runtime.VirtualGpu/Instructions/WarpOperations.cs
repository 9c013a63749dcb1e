using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
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
        uint* source = (uint*)(r + i->A), offsets = (uint*)(r + i->B), clamps = (uint*)(r + i->C);
        uint* result = stackalloc uint[32];
        uint inRange = 0;
        ShuffleMode mode = (ShuffleMode)i->Imm;
        for (int lane = 0; lane < 32; lane++)
        {
            int b = (int)(offsets[lane] & 31), segment = (int)(clamps[lane] >> 8 & 31), clamp = (int)(clamps[lane] & 31);
            int max = (lane & segment) | (clamp & ~segment), min = lane & segment;
            int from;
            bool valid;
            switch (mode)
            {
                case ShuffleMode.Up:
                    from = lane - b;
                    valid = from >= max;
                    break;
                case ShuffleMode.Down:
                    from = lane + b;
                    valid = from <= max;
                    break;
                case ShuffleMode.Butterfly:
                    from = lane ^ b;
                    valid = from <= max;
                    break;
                default:
                    from = min | (b & ~segment);
                    valid = from <= max;
                    break;
            }
            if (!valid) from = lane;
            else inRange |= 1u << lane;
            result[lane] = source[from & 31];
        }
        Lanes.Store(r + i->D, Vector512.Load(result), Vector512.Load(result + 16), mask);
        if (i->F >= 0) Lanes.StorePredicate(r + i->F, inRange, mask);
        return i + 1;
    }

    public enum VoteMode { All, Any, Uniform, Ballot }

    /// <summary>D = vote over predicate A (flipped by <c>Slot</c>) of the members in row E.</summary>
    public static Instr* Vote(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        if (!Ready(warp, i, mask, i->E)) return Warp.Yield;
        uint members = Members(r, i, mask) & mask;
        uint votes = (*(uint*)(r + i->A) ^ (uint)i->Slot) & members;
        if ((VoteMode)i->Imm == VoteMode.Ballot)
        {
            Vector512<uint> value = Vector512.Create(votes);
            Lanes.Store(r + i->D, value, value, mask);
            return i + 1;
        }
        bool holds = (VoteMode)i->Imm switch
        {
            VoteMode.All => votes == members,
            VoteMode.Any => votes != 0,
            _ => votes == 0 || votes == members,
        };
        Lanes.StorePredicate(r + i->D, holds ? Lanes.All : 0, mask);
        return i + 1;
    }

    public enum ReduxMode { Add, MinU, MaxU, MinS, MaxS, And, Or, Xor }

    /// <summary>D = reduction of A over the members in row E.</summary>
    public static Instr* Reduce(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        if (!Ready(warp, i, mask, i->E)) return Warp.Yield;
        uint members = Members(r, i, mask) & mask;
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
        Lanes.Store(r + i->D, all, all, mask);
        return i + 1;
    }

    /// <summary><c>match.any</c> (or <c>.all</c>, when <c>Imm</c> is one, with predicate F): lanes whose A is the same. <c>Slot</c>: A has 64 bits.</summary>
    public static Instr* Match(Warp* warp, Instr* i, uint mask)
    {
        byte* r = warp->Registers;
        if (!Ready(warp, i, mask, i->E)) return Warp.Yield;
        uint members = Members(r, i, mask) & mask, everyone = 0;
        for (uint left = members; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            uint same = 0;
            for (uint others = members; others != 0; others &= others - 1)
            {
                int other = Bits.TrailingZeroCount(others);
                if (Value(r, i, lane) == Value(r, i, other)) same |= 1u << other;
            }
            if (i->Imm == 0) ((uint*)(r + i->D))[lane] = same;
            else if (same == members) everyone = members;
        }
        if (i->Imm == 0) return i + 1;
        Vector512<uint> result = Vector512.Create(everyone);
        Lanes.Store(r + i->D, result, result, mask);
        if (i->F >= 0) Lanes.StorePredicate(r + i->F, everyone != 0 ? Lanes.All : 0, mask);
        return i + 1;
    }

    private static ulong Value(byte* r, Instr* i, int lane) => i->Slot != 0 ? ((ulong*)(r + i->A))[lane] : ((uint*)(r + i->A))[lane];

    private static uint Members(byte* r, Instr* i, uint mask) => i->E < 0 ? Lanes.All : ((uint*)(r + i->E))[Bits.TrailingZeroCount(mask)];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Ready(Warp* warp, Instr* i, uint mask, int row) =>
        warp->Active == warp->Alive || row < 0 || WarpScheduler.Converged(warp, i, Members(warp->Registers, i, mask));
}
