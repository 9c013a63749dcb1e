using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// Barriers of the block: whether all threads come to them that must, and what they know of each other afterwards.
/// </summary>
internal sealed unsafe class BarrierCheck(CheckContext context, ThreadClocks clocks)
{
    private readonly Round?[] _rounds = new Round?[BlockBarrier.Count];
    private Round?[] _waiting = [];
    private CheckSite?[] _exits = [];
    private int _exited;

    /// <summary>Two instructions at which threads came to a barrier of all at the same time: allowed, but suspicious once something is wrong.</summary>
    private (int Id, CheckSite First, CheckSite Second)? _mixed;

    /// <summary>A barrier from its first arrival to its opening.</summary>
    private sealed record Round(Meeting Meeting, CheckSite First, int Thread, uint Count, int Opening);

    public void Begin()
    {
        int threads = 32 * context.State->Warps;
        if (_waiting.Length < threads) (_waiting, _exits) = (new Round?[threads], new CheckSite?[threads]);
        Array.Clear(_rounds);
        Array.Clear(_waiting);
        Array.Clear(_exits);
        _exited = 0;
        _mixed = null;
    }

    /// <summary>Where a thread has left the kernel; null while it has not.</summary>
    public CheckSite? ExitOf(int thread) => _exits[thread];

    public void Arrive(Warp* warp, CheckSite site, uint mask)
    {
        int lane = Bits.TrailingZeroCount(mask), thread = 32 * warp->Index + lane;
        uint id = site.Sources.Length > 0 ? ((uint*)(warp->Registers + site.Sources[0]))[lane] : BlockBarrier.Count - 1;
        if (id >= BlockBarrier.Count) return;
        uint count = site.MaskRow < 0 ? 0 : ((uint*)(warp->Registers + site.MaskRow))[lane];
        bool isAll = count == 0;
        if (site.IsAligned && mask != warp->Active && IsNew(site))
        {
            uint others = warp->Active & ~mask;
            context.Report(
                FindingKind.BarrierMismatch, site, -1, warp, lane, null,
                $"{CheckContext.Lanes(mask)} of warp {warp->Index} come to barrier {id}, {CheckContext.Lanes(others)} skip it: its guard does not hold for them");
        }
        if (isAll) RequireNobodyLeft(site, warp, lane, id);
        int opening = context.State->Barriers[id].Openings;
        Round? round = _rounds[id];
        if (round == null || round.Opening != opening) _rounds[id] = round = new Round(clocks.NewMeeting(), site, thread, count, opening);
        else if (round.Count != count) ReportCounts(round, site, warp, lane, id, count);
        else if (isAll && round.First != site) _mixed ??= ((int)id, round.First, site);
        clocks.Arrive(round.Meeting, warp->Index, mask);
        if (site.Kind != SiteKind.Barrier) return;
        for (uint left = mask; left != 0; left &= left - 1) _waiting[32 * warp->Index + Bits.TrailingZeroCount(left)] = round;
    }

    /// <summary>Threads go on behind a barrier.</summary>
    public void Leave(Warp* warp, uint mask)
    {
        while (mask != 0)
        {
            Round? round = _waiting[32 * warp->Index + Bits.TrailingZeroCount(mask)];
            uint together = 0;
            for (uint left = mask; left != 0; left &= left - 1)
            {
                int lane = Bits.TrailingZeroCount(left);
                if (_waiting[32 * warp->Index + lane] == round) together |= 1u << lane;
            }
            if (round != null) clocks.Leave(round.Meeting, warp->Index, together);
            for (uint left = together; left != 0; left &= left - 1) _waiting[32 * warp->Index + Bits.TrailingZeroCount(left)] = null;
            mask &= ~together;
        }
    }

    /// <summary>Threads leave the kernel; nobody may be waiting for them.</summary>
    public void Exit(Warp* warp, CheckSite site, uint mask)
    {
        for (uint left = mask; left != 0; left &= left - 1) _exits[32 * warp->Index + Bits.TrailingZeroCount(left)] = site;
        _exited += Bits.PopCount(mask);
        for (int id = 0; id < BlockBarrier.Count; id++)
        {
            if (_rounds[id] is not { Count: 0 } round || round.Opening != context.State->Barriers[id].Openings) continue;
            ReportLeft(round.First, round.Thread, id, site, 32 * warp->Index + Bits.TrailingZeroCount(mask));
        }
    }

    /// <summary>The block is done: arrivals are left over that nobody has waited for.</summary>
    public void End()
    {
        for (int id = 0; id < BlockBarrier.Count; id++)
        {
            if (_rounds[id] is not { } round || round.Opening != context.State->Barriers[id].Openings) continue;
            if (!IsNew(round.First)) continue;
            context.Report(
                FindingKind.BarrierMismatch, round.First.Position, -1, round.Thread, null,
                $"threads arrive at barrier {id}, and the block ends without it ever opening: nobody waits for them there",
                "let other threads wait for the arrivals with bar.sync of the same number and thread count");
        }
    }

    /// <summary>One report for each barrier instruction, and none of what follows from it.</summary>
    private bool IsNew(CheckSite barrier)
    {
        if (!context.Has(VirtualGpuChecks.Sync)) return false;
        context.Launch.Explained.Add(barrier.Position);
        return context.IsNew(FindingKind.BarrierMismatch, barrier);
    }

    private void RequireNobodyLeft(CheckSite site, Warp* warp, int lane, uint id)
    {
        if (_exited == 0) return;
        for (int thread = 0; thread < _exits.Length; thread++)
            if (_exits[thread] is { } exit) ReportLeft(site, 32 * warp->Index + lane, (int)id, exit, thread);
    }

    private void ReportLeft(CheckSite barrier, int thread, int id, CheckSite exit, int gone)
    {
        if (_mixed is var (mixedId, first, second) && mixedId == id && first != barrier)
        {
            var (low, high) = first.Position < second.Position ? (first, second) : (second, first);
            context.Launch.Explained.Add(barrier.Position);
            if (!IsNew(low)) return;
            context.Report(
                FindingKind.BarrierMismatch, low.Position, high.Position, thread, null,
                $"some threads come to barrier {id} here while others are at it elsewhere; at the end some of the block wait there alone (line {context.Launch.Place(barrier.Position).Line})",
                "let all threads of the block come to the same barriers: move this one out of the branch");
            return;
        }
        if (!IsNew(barrier)) return;
        context.Report(
            FindingKind.BarrierMismatch, barrier.Position, exit.Position, thread, null,
            $"threads wait at barrier {id} for all of the block, but thread {context.Launch.ThreadAt(gone)} has left the kernel without coming to it",
            "let all threads come to the barrier: skip the work instead of returning before it");
    }

    private void ReportCounts(Round round, CheckSite site, Warp* warp, int lane, uint id, uint count)
    {
        context.Launch.Explained.Add(round.First.Position);
        if (!IsNew(site)) return;
        static string Threads(uint count) => count == 0 ? "all threads" : $"{count} threads";
        context.Report(
            FindingKind.BarrierMismatch, site, round.First.Position, warp, lane, null,
            $"{Threads(count)} are expected at barrier {id} here, {Threads(round.Count)} by those who came before", "give the barrier the same thread count everywhere");
    }
}
