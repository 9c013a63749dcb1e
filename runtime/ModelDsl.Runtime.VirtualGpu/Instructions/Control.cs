using System.Diagnostics;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>Branches, exits, barriers.</summary>
internal static unsafe class Control
{
    public static Instr* Branch(Warp* warp, Instr* i, uint mask)
    {
        Instr* target = (Instr*)i->Target;
        uint active = warp->Active;
        if (target <= i && --warp->Turn < 0) return WarpScheduler.EndTurn(warp, i);
        return mask == active ? target : WarpScheduler.Diverge(warp, target, mask, i + 1);
    }

    public static Instr* Exit(Warp* warp, Instr* i, uint mask) => WarpScheduler.Exit(warp, i + 1, mask);

    public static Instr* Nothing(Warp* warp, Instr* i, uint mask) => i + 1;

    /// <summary>Who sleeps in a loop lets others run at its next turn.</summary>
    public static Instr* GiveWay(Warp* warp, Instr* i, uint mask)
    {
        warp->Turn = 0;
        return i + 1;
    }

    public static Instr* Trap(Warp* warp, Instr* i, uint mask) =>
        throw new FaultException(FindingKind.Trap, "the kernel stopped itself with 'trap'", i, Bits.TrailingZeroCount(mask));

    /// <summary>Control ran past the last instruction: an implicit <c>ret</c>.</summary>
    public static Instr* End(Warp* warp, Instr* i, uint mask) => WarpScheduler.Exit(warp, i, warp->Active);

    /// <summary>
    /// <c>bar.sync</c> and <c>bar.red</c>: barrier number in row A, thread count in row B (negative: all), predicate in C flipped
    /// by <c>Imm</c>, what to hand back in <c>Slot</c>.
    /// </summary>
    public static Instr* BarrierSync(Warp* warp, Instr* i, uint mask)
    {
        if (mask != warp->Active)
        {
            // Guarded: those that do not take part go on alone.
            return WarpScheduler.Diverge(warp, i + 1, warp->Active & ~mask, i);
        }
        int id = Arrive(warp, i, mask);
        BlockBarrier* barrier = warp->Block->Barriers + id;
        if (i->Slot != (int)Vote.None)
        {
            barrier->Votes += Bits.PopCount((*(uint*)(warp->Registers + i->C) ^ (uint)i->Imm) & mask);
            barrier->Voters += Bits.PopCount(mask);
        }
        Split* split = warp->Splits + warp->Current;
        split->Next = i + 1;
        split->State = SplitState.Barrier;
        split->Barrier = id;
        if ((warp->Alive & ~barrier->Arrived[warp->Index]) == 0) BlockBarrier.TryOpen(warp->Block, id);
        return Warp.Yield;
    }

    public static Instr* BarrierArrive(Warp* warp, Instr* i, uint mask)
    {
        int id = Arrive(warp, i, mask);
        if ((warp->Alive & ~warp->Block->Barriers[id].Arrived[warp->Index]) == 0) BlockBarrier.TryOpen(warp->Block, id);
        return i + 1;
    }

    /// <summary><c>barrier.cluster.arrive</c>.</summary>
    public static Instr* ClusterArrive(Warp* warp, Instr* i, uint mask)
    {
        if ((warp->AtCluster & mask) != 0)
            throw new FaultException(FindingKind.BarrierMismatch, "a thread arrives at the cluster's barrier twice without waiting in between", i, Bits.TrailingZeroCount(warp->AtCluster & mask));
        warp->AtCluster |= mask;
        if ((warp->Alive & ~warp->AtCluster) == 0) Cluster.TryOpen(warp->Block->Cluster);
        return i + 1;
    }

    /// <summary><c>barrier.cluster.wait</c>: until the barrier has opened at which these lanes arrived.</summary>
    public static Instr* ClusterWait(Warp* warp, Instr* i, uint mask)
    {
        if ((warp->AtCluster & mask) == 0) return i + 1;
        if (mask != warp->Active) return WarpScheduler.Diverge(warp, i + 1, warp->Active & ~mask, i);
        Split* split = warp->Splits + warp->Current;
        split->Next = i + 1;
        split->State = SplitState.Barrier;
        split->Barrier = BlockBarrier.OfCluster;
        return Warp.Yield;
    }

    /// <summary><c>bar.warp.sync</c>: member mask in row A.</summary>
    public static Instr* WarpSync(Warp* warp, Instr* i, uint mask)
    {
        uint* row = (uint*)(warp->Registers + i->A);
        uint members = 0;
        for (uint left = mask; left != 0 && warp->Active != warp->Alive; left &= left - 1) members |= row[Bits.TrailingZeroCount(left)];
        return WarpScheduler.Converged(warp, i, members) ? i + 1 : Warp.Yield;
    }

    /// <summary>A counter of the host, in nanoseconds: <c>%clock</c>, <c>%globaltimer</c>. E tells whether D has 64 bits.</summary>
    public static Instr* Clock(Warp* warp, Instr* i, uint mask)
    {
        ulong now = (ulong)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));
        byte* to = warp->Registers + i->D;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            if (i->E != 0) ((ulong*)to)[lane] = now;
            else ((uint*)to)[lane] = (uint)now;
        }
        return i + 1;
    }

    public static Instr* ActiveMask(Warp* warp, Instr* i, uint mask)
    {
        Vector512<uint> value = Vector512.Create(mask);
        Lanes.Store(warp->Registers + i->D, value, value, mask);
        return i + 1;
    }

    private static int Arrive(Warp* warp, Instr* i, uint mask)
    {
        int lane = Bits.TrailingZeroCount(mask);
        uint id = ((uint*)(warp->Registers + i->A))[lane];
        if (id >= BlockBarrier.Count) throw new FaultException(FindingKind.InvalidOperand, $"barrier {id} does not exist; there are {BlockBarrier.Count}", i, lane);
        BlockBarrier* barrier = warp->Block->Barriers + id;
        if (i->B >= 0)
        {
            uint threads = ((uint*)(warp->Registers + i->B))[lane];
            if (threads == 0 || threads % 32 != 0) throw new FaultException(FindingKind.InvalidOperand, $"a barrier counts whole warps; {threads} threads is no multiple of 32", i, lane);
            barrier->Expected = (int)(threads / 32);
        }
        barrier->Arrived[warp->Index] |= mask;
        return (int)id;
    }
}
