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

    private static string Describe(BlockState* block, Warp* warp, Split* split)
    {
        string who = $"{CheckContext.Lanes(split->Mask)} of warp {warp->Index} ";
        uint missing = warp->Alive & ~split->Mask;
        if (split->State == SplitState.Convergence) return who + $"wait for {(missing == 0 ? "others" : CheckContext.Lanes(missing))} of the warp, which never come";
        BlockBarrier* barrier = block->Barriers + split->Barrier;
        string whom = barrier->Expected == 0 ? "all threads of the block" : $"{32 * barrier->Expected} threads";
        return who + $"wait at barrier {split->Barrier} for {whom}, others of which never come";
    }
}
