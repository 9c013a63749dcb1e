using System.Runtime.CompilerServices;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// Accesses of different threads to one place, one of them a write, of which neither happens before the other. What orders
/// them: program order, barriers of the block and of the warp, and strong accesses with fences (PTX memory model). Two strong
/// accesses do not race. Writing the value that is there already is let pass.
/// </summary>
internal sealed unsafe class RaceCheck(CheckContext context, AccessLog log, ThreadClocks clocks, StaleReads stale, Func<AccessEvent, AsyncCopies> copies)
{
    private int _warp, _thread;
    private int[] _known = [];

    /// <summary>Number of the access by this warp, with room for the lane.</summary>
    /// <param name="group">Of an asynchronous copy; -1 otherwise.</param>
    public uint Event(CheckSite site, int warp, int group)
    {
        int clock = clocks.Clock(warp);
        ref var last = ref site.LastEvent;
        if (last.Number != 0 && last.Clock == clock && last.Warp == warp && last.Group == group && last.Block == context.Block) return last.Number;
        uint number = log.Add(new AccessEvent(context.Block, warp, clock, group, site));
        last = (number, context.Block, warp, clock, group);
        return number;
    }

    /// <summary>Makes one lane's accesses the current ones.</summary>
    public void Enter(int warp, int lane)
    {
        (_warp, _thread) = (warp, 32 * warp + lane);
        _known = clocks.Known(_thread);
    }

    /// <param name="id">Number of the event and lane.</param>
    /// <param name="at">For reports and for the value there.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Read(AccessCell* cell, uint id, CheckSite site, in AccessPoint at)
    {
        if (cell->Write != 0) Compare(cell->Write, id, site, at, isWrite: false, wasWrite: true);
        if (cell->OtherWrite != 0) Compare(cell->OtherWrite, id, site, at, isWrite: false, wasWrite: true);
        if (site.IsStrong && !at.IsShared) NoteSeen(cell, site, at);
        if (site.IsNonCoherent && cell->Write != 0 && log.IsOfLaunch(cell->Write)) ReportNonCoherent(cell->Write, site, at);
        if (cell->Read != id) Keep(ref cell->Read, ref cell->OtherRead, id);
    }

    /// <summary>What a strong read of device memory has seen of others' strong writes.</summary>
    private void NoteSeen(AccessCell* cell, CheckSite site, in AccessPoint at)
    {
        if (cell->Write != 0 && log.IsOfLaunch(cell->Write)) stale.Read(_thread, cell->Write, IsTold(cell->Write), site, at);
        if (cell->OtherWrite != 0 && log.IsOfLaunch(cell->OtherWrite)) stale.Read(_thread, cell->OtherWrite, IsTold(cell->OtherWrite), site, at);
    }

    /// <summary>Whether it happens before, or its writer's fence lies between it and something that this thread has read: who waits for a flag loads nothing before that is there.</summary>
    private bool IsTold(uint earlier)
    {
        ref AccessEvent e = ref log.Of(earlier);
        return Order(earlier) == AccessOrder.Before || clocks.HasRead(_thread, e.Block, 32 * e.Warp + (int)(earlier & 31), e.Clock);
    }

    /// <inheritdoc cref="Read"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Write(AccessCell* cell, uint id, CheckSite site, in AccessPoint at)
    {
        if (cell->Write != 0) Compare(cell->Write, id, site, at, isWrite: true, wasWrite: true);
        if (cell->OtherWrite != 0) Compare(cell->OtherWrite, id, site, at, isWrite: true, wasWrite: true);
        if (cell->Read != 0) Compare(cell->Read, id, site, at, isWrite: true, wasWrite: false);
        if (cell->OtherRead != 0) Compare(cell->OtherRead, id, site, at, isWrite: true, wasWrite: false);
        if (site.Kind == SiteKind.Atomic && site.IsStrong && !at.IsShared) NoteSeen(cell, site, at);
        if (site.IsStrong)
        {
            Keep(ref cell->Write, ref cell->OtherWrite, id);
            return;
        }
        // Whoever is ordered behind this write is so behind all before it.
        cell->Write = id;
        cell->OtherWrite = cell->Read = cell->OtherRead = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Keep(ref uint first, ref uint second, uint id)
    {
        if (!log.IsOfLaunch(first) || Order(first) == AccessOrder.Before) first = id;
        else if (second == 0 || log.Of(first).Warp != _warp || log.Of(first).Block != context.Block || !log.IsOfLaunch(second) || Order(second) == AccessOrder.Before) second = id;
    }

    private enum AccessOrder { Before, Unordered, CopyUnderWay }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private AccessOrder Order(uint earlier)
    {
        ref AccessEvent e = ref log.Of(earlier);
        int thread = 32 * e.Warp + (int)(earlier & 31), clock = e.Clock;
        if (e.Group >= 0)
        {
            clock = copies(e).WaitedAt(thread, e.Group);
            if (clock == 0) return AccessOrder.CopyUnderWay;
        }
        if (e.Block != context.Block) return clocks.KnowsFar(_thread, e.Block, thread, clock) ? AccessOrder.Before : AccessOrder.Unordered;
        return thread == _thread || clock <= _known[thread] ? AccessOrder.Before : AccessOrder.Unordered;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Compare(uint earlier, uint id, CheckSite site, in AccessPoint at, bool isWrite, bool wasWrite)
    {
        if (earlier == id || !log.IsOfLaunch(earlier)) return;
        AccessOrder order = Order(earlier);
        if (order == AccessOrder.Before) return;
        AccessEvent e = log.Of(earlier);
        // A copy that follows another of its own thread into the same place.
        if (order == AccessOrder.CopyUnderWay && site.Kind == SiteKind.AsyncCopy && 32 * e.Warp + (earlier & 31) == _thread) return;
        if (IsStrongPair(site, e, at.IsShared)) return;
        // A loop of compare-and-swap starts from a plain read: an old value costs it a round and no more.
        if ((site.IsCompareAndSwap && e.Site.Kind == SiteKind.Load) || (e.Site.IsCompareAndSwap && site.Kind == SiteKind.Load)) return;
        if (isWrite && wasWrite && order != AccessOrder.CopyUnderWay && at.IsSameValue((int)(earlier & 31), earlier >> 5 == id >> 5)) return;
        Report(e, (int)(earlier & 31), site, at, isWrite, wasWrite, order);
    }

    /// <summary>Strong enough to each other: not a data race by the model. Lanes of a warp that pass data through volatile shared memory still need to be told apart in time.</summary>
    private bool IsStrongPair(CheckSite site, in AccessEvent other, bool isShared)
    {
        if (!site.IsStrong || !other.Site.IsStrong) return false;
        bool isSameBlock = other.Block == context.Block;
        if (!isSameBlock && (site.IsBlockScope || other.Site.IsBlockScope)) return false;
        return !(isShared && isSameBlock && other.Warp == _warp && site.IsVolatile && other.Site.IsVolatile);
    }

    /// <summary>What a kernel writes is not for its own loads through the read-only cache, in whatever order.</summary>
    private void ReportNonCoherent(uint write, CheckSite site, in AccessPoint at)
    {
        AccessEvent e = log.Of(write);
        if (!context.Has(VirtualGpuChecks.Race) || !context.IsNew(FindingKind.Race, e.Site, site.Position)) return;
        context.Report(
            FindingKind.Race, site.Position, e.Site.Position, _thread, at.Address,
            "this reads through the read-only cache (.nc) what the same launch has written: it may see what was there before",
            "use ld.global without .nc for memory that the kernel writes");
    }

    private void Report(in AccessEvent e, int lane, CheckSite site, in AccessPoint at, bool isWrite, bool wasWrite, AccessOrder order)
    {
        FindingKind kind = order == AccessOrder.CopyUnderWay && e.Site.Kind != SiteKind.Product ? FindingKind.AsyncCopy : FindingKind.Race;
        if (!context.Has(kind == FindingKind.Race ? VirtualGpuChecks.Race : VirtualGpuChecks.Sync)) return;
        log.NoteRace(site, e.Site);
        // The same two lines are the same cause, whichever came first.
        CheckSite low = e.Site.Position < site.Position ? e.Site : site, high = low == site ? e.Site : site;
        if (!context.IsNew(kind, low, high.Position)) return;
        bool isSameBlock = e.Block == context.Block, isSameWarp = isSameBlock && e.Warp == _warp;
        string other = $"thread {context.Launch.ThreadAt(32 * e.Warp + lane)}{(isSameBlock ? "" : $" of block {context.Launch.BlockAt(e.Block)}")}";
        string place = at.IsShared ? "shared" : "global";
        string message = order == AccessOrder.CopyUnderWay && e.Site.Kind == SiteKind.Product
            ? $"this writes {place} memory that a product of {other} reads, which has not been waited for"
            : kind == FindingKind.AsyncCopy && e.Site.Kind == SiteKind.BulkCopy
            ? $"this writes {place} memory from which a bulk copy of {other} is under way: its group has not been waited for"
            : kind == FindingKind.AsyncCopy
            ? $"this {(isWrite ? "writes" : "reads")} {place} memory into which a copy of {other} is under way: its group has not been waited for"
            : $"this {(isWrite ? "writes" : "reads")} {place} memory that {other} {(wasWrite ? "writes" : "reads")}, and nothing orders the two";
        string? remedy = kind == FindingKind.AsyncCopy ? null
            : site.Kind == SiteKind.BulkCopy || e.Site.Kind == SiteKind.BulkCopy ? "let readers arrive at an mbarrier when they are done, and whoever copies wait for it; let readers wait for the mbarrier that the copy completes"
            : isSameWarp ? "put bar.warp.sync (__syncwarp) between the two accesses, or a barrier of the block"
            : isSameBlock ? "put a barrier of the block (bar.sync) between the two accesses, or make both atomic"
            : "let each block have memory of its own, make both accesses atomic, or order them: a fence and a strong write (or release) there, a strong read and a fence (or acquire) here";
        context.Report(kind, site.Position, e.Site.Position, _thread, at.Address, message, remedy);
    }
}
