using System.Runtime.CompilerServices;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>
/// Runs a warp. Threads that branch apart become splits; the split that is furthest back in the program runs first and
/// stops where it meets another, so that threads meet again at the first instruction they share. For code laid out in
/// the order of its control flow that is the immediate post-dominator, and it holds for loops, early exits and any nesting.
/// Who loops for long gives way, to the other splits in turn and to other warps, since it may be waiting for one of them.
/// </summary>
internal static unsafe class WarpScheduler
{
    /// <summary>Backward branches a warp takes in one go.</summary>
    public const int TurnBranches = 2048;

    /// <summary>Runs until every split waits or has exited, or the turn is over. False when nothing could run.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Run<TCount>(Warp* warp)
        where TCount : struct
    {
        ulong before = warp->Executed;
        while (true)
        {
            int current = Pick(warp);
            if (current < 0) return warp->Executed != before;
            Split* split = warp->Splits + current;
            Instr* stop = Meeting(warp, current);
            Instr* ip = split->Next;
            uint active = split->Mask;
            warp->Current = current;
            warp->Active = active;
            byte* registers = warp->Registers;
            ulong executed = 0;
            do
            {
                uint mask = active & (*(uint*)(registers + ip->Guard) ^ ip->GuardFlip);
                executed++;
                // Decided when the method is compiled: where nobody counts, nothing of it is left.
                if (typeof(TCount) == typeof(Counting))
                {
                    ulong* count = warp->Block->Counts + (ip - warp->Block->Code);
                    ulong others = warp->Executed;
                    ip = mask != 0 ? ip->Handler(warp, ip, mask) : ip + 1;
                    for (others = warp->Executed - others; ; others--, count++)
                    {
                        (*count)++;
                        if (others == 0) break;
                    }
                }
                else
                {
                    ip = mask != 0 ? ip->Handler(warp, ip, mask) : ip + 1;
                }
            }
            while (ip < stop);
            warp->Executed += executed;
            if (ip != Warp.Yield) warp->Splits[warp->Current].Next = ip;
            if (warp->Turn < 0)
            {
                warp->Turn = TurnBranches;
                return true;
            }
        }
    }

    /// <summary>Parts the running split at a branch only some of its lanes take.</summary>
    public static Instr* Diverge(Warp* warp, Instr* taken, uint takenLanes, Instr* next)
    {
        Split* split = warp->Splits + warp->Current;
        Split* other = warp->Splits + warp->SplitCount++;
        *other = new Split { Next = taken, Mask = takenLanes };
        split->Next = next;
        split->Mask &= ~takenLanes;
        return Warp.Yield;
    }

    /// <summary>Stops the running split at a branch it has yet to take.</summary>
    public static Instr* EndTurn(Warp* warp, Instr* branch)
    {
        if (--warp->Turns < 0) throw new FaultException(FindingKind.EndlessLoop, "the kernel seems to loop forever: the branch budget is used up", branch, -1);
        warp->Splits[warp->Current].Next = branch;
        warp->Splits[warp->Current].LastTurn = ++warp->TurnNumber;
        warp->Rotate = true;
        return Warp.Yield;
    }

    /// <summary>Ends lanes of the running split.</summary>
    public static Instr* Exit(Warp* warp, Instr* next, uint lanes)
    {
        Split* split = warp->Splits + warp->Current;
        warp->Alive &= ~lanes;
        split->Mask &= ~lanes;
        split->Next = next;
        if (split->Mask == 0) *split = warp->Splits[--warp->SplitCount];
        // Whoever waits for those that live may have been waiting for these.
        for (int i = 0; i < warp->SplitCount; i++)
            if (warp->Splits[i].State == SplitState.Convergence) warp->Splits[i].State = SplitState.Ready;
        for (int id = 0; id < BlockBarrier.Count; id++) BlockBarrier.TryOpen(warp->Block, id);
        Cluster.TryOpen(warp->Block->Cluster);
        return Warp.Yield;
    }

    /// <summary>
    /// True when the running split has all the lanes of <paramref name="members"/> that live. If not, it takes in those
    /// that wait at this very instruction, and otherwise waits itself.
    /// </summary>
    public static bool Converged(Warp* warp, Instr* at, uint members)
    {
        uint missing = members & warp->Alive & ~warp->Active;
        if (missing == 0) return true;
        Split* split = warp->Splits + warp->Current;
        split->Next = at;
        split->State = SplitState.Convergence;
        return false;
    }

    private static int Pick(Warp* warp)
    {
        Split* splits = warp->Splits;
        if (warp->SplitCount == 1)
        {
            if (splits->State == SplitState.Convergence) splits->State = SplitState.Ready;
            return splits->State == SplitState.Ready ? 0 : -1;
        }
        Merge(warp);
        int best = -1;
        bool rotate = warp->Rotate;
        for (int i = 0; i < warp->SplitCount; i++)
        {
            if (splits[i].State != SplitState.Ready) continue;
            if (best < 0 || (rotate ? splits[i].LastTurn < splits[best].LastTurn : splits[i].Next < splits[best].Next)) best = i;
        }
        warp->Rotate = false;
        return best;
    }

    /// <summary>Joins splits that stand at the same instruction; one that waited for company looks again.</summary>
    private static void Merge(Warp* warp)
    {
        Split* splits = warp->Splits;
        for (int i = 0; i < warp->SplitCount; i++)
        {
            if (splits[i].State == SplitState.Barrier) continue;
            for (int j = warp->SplitCount - 1; j > i; j--)
            {
                if (splits[j].Next != splits[i].Next || splits[j].State == SplitState.Barrier) continue;
                splits[i].Mask |= splits[j].Mask;
                splits[i].State = SplitState.Ready;
                splits[j] = splits[--warp->SplitCount];
            }
        }
    }

    /// <summary>The nearest instruction ahead where another split stands.</summary>
    private static Instr* Meeting(Warp* warp, int current)
    {
        Instr* from = warp->Splits[current].Next;
        Instr* stop = Warp.Yield;
        for (int i = 0; i < warp->SplitCount; i++)
        {
            Instr* next = warp->Splits[i].Next;
            if (i != current && warp->Splits[i].State != SplitState.Barrier && next > from && next < stop) stop = next;
        }
        return stop;
    }
}

/// <summary>Executed instructions are counted one by one.</summary>
internal struct Counting;

/// <summary>Only their sum is known.</summary>
internal struct NotCounting;
