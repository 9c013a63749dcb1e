using ModelDsl.Runtime.VirtualGpu.Checking;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Execution;

/// <summary>Nobody in a block can go on: who waits where, and for whom.</summary>
internal static unsafe class Deadlock
{
    private const int MostGroups = 6;

    public static FaultException Explain(BlockState* block, out Warp* stuck)
    {
        var groups = new List<string>();
        Instr* at = null, other = null;
        int lane = 0, exited = 0, waiting = 0;
        bool inWarp = false;
        stuck = null;
        for (int w = 0; w < block->Warps; w++)
        {
            Warp* warp = block->FirstWarp + w;
            if (warp->SplitCount == 0) exited++;
            else waiting++;
            for (int s = 0; s < warp->SplitCount; s++)
            {
                Split* split = warp->Splits + s;
                Instr* where = split->State == SplitState.Barrier ? split->Next - 1 : split->Next;
                if (groups.Count < MostGroups) groups.Add(Describe(block, warp, split));
                else if (groups.Count == MostGroups) groups.Add("and others");
                bool isInWarp = split->State == SplitState.Convergence;
                // Where lanes of one warp wait for each other is what keeps the rest waiting.
                bool isWorse = at == null || (isInWarp && !inWarp) || (isInWarp == inWarp && stuck == warp && where->Source < at->Source);
                if (!isWorse)
                {
                    if (other == null && where->Source != at->Source) other = where;
                    continue;
                }
                if (at != null && at->Source != where->Source) other = at;
                at = where;
                stuck = warp;
                (lane, inWarp) = (Bits.TrailingZeroCount(split->Mask), isInWarp);
            }
        }
        bool isSplit = inWarp || stuck->SplitCount > 1;
        FindingKind kind = !isSplit ? FindingKind.Deadlock : inWarp && CheckHandlers.KindAt(stuck, at) is not (SiteKind.Barrier or SiteKind.BarrierArrive) ? FindingKind.InactiveLanes : FindingKind.BarrierMismatch;
        string text = $"deadlock: {string.Join("; ", groups)} ({waiting} warps wait, {exited} have exited)";
        return new FaultException(kind, text, at, lane) { Other = other };
    }

    /// <summary>Threads loop for ever; where they wait for an mbarrier, what it waits for.</summary>
    public static FaultException Spinning(Warp* warp, Split* split)
    {
        // Bytes that do not add up keep a phase open for ever. Who waits for those that wait for it only hides that.
        for (int w = 0; w < warp->Block->Warps; w++)
        {
            Warp* other = warp->Block->FirstWarp + w;
            if (other->SplitCount != 1 || !WaitsAtBarrier(other) || Instructions.BarrierObjects.BytesLeft(AwaitedWord(other)) == 0) continue;
            warp = other;
            split = other->Splits;
            break;
        }
        string lanes = CheckContext.Lanes(split->Mask), why = "";
        if (WaitsAtBarrier(warp)) why = $": the mbarrier at shared offset {warp->AwaitedBarrier - 1} still expects {Instructions.BarrierObjects.Outstanding(AwaitedWord(warp))}";
        return new FaultException(
            why.Length > 0 ? FindingKind.Deadlock : FindingKind.EndlessLoop,
            $"the kernel seems to loop forever: {lanes} of warp {warp->Index} wait here for a change, and no thread is left that could bring it about{why}",
            split->Next, Bits.TrailingZeroCount(split->Mask)) { Warp = warp };
    }

    private static bool WaitsAtBarrier(Warp* warp) => warp->AwaitedBarrier != 0 && warp->AwaitedBarrier - 1 + sizeof(ulong) <= warp->Block->SharedBytes;

    private static ulong AwaitedWord(Warp* warp) => *(ulong*)(warp->Block->Shared + warp->AwaitedBarrier - 1);

    private static string Describe(BlockState* block, Warp* warp, Split* split)
    {
        string who = $"{CheckContext.Lanes(split->Mask)} of warp {warp->Index} ";
        uint missing = warp->Alive & ~split->Mask;
        if (split->State == SplitState.Convergence) return who + $"wait for {(missing == 0 ? "others" : CheckContext.Lanes(missing))} of the warp, which never come";
        if (split->Barrier == BlockBarrier.OfWarpgroup) return who + "wait at wgmma for the other warps of their warpgroup, which never come";
        if (split->Barrier == BlockBarrier.OfCluster) return who + $"wait at barrier.cluster for {Cluster.Missing(block->Cluster)} threads of the cluster that never come";
        BlockBarrier* barrier = block->Barriers + split->Barrier;
        string whom = barrier->Expected == 0 ? "all threads of the block" : $"{32 * barrier->Expected} threads";
        return who + $"wait at barrier {split->Barrier} for {whom}, others of which never come";
    }
}
