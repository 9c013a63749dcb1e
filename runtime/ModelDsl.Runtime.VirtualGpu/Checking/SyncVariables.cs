namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// Places that threads read and write strongly (volatile, relaxed, acquire, release, atomics) to tell each other that data is there: what
/// the last write of each place tells its readers.
/// </summary>
internal sealed class SyncVariables(CheckContext context, AccessLog log, ThreadClocks clocks)
{
    private readonly Dictionary<ulong, Knowledge> _shared = [];

    public void Begin() => _shared.Clear();

    /// <summary>A bulk copy of a thread completes at an mbarrier of the block, or of another one.</summary>
    public void Complete(int thread, ulong barrier, SyncVariables? of = null)
    {
        Dictionary<ulong, Knowledge> places = (of ?? this)._shared;
        places[barrier] = Knowledge.Join(places.GetValueOrDefault(barrier), clocks.Published(thread, isRelease: true, isBlockScope: false))!;
    }

    /// <param name="of">Whose shared memory, where it is another block's.</param>
    public void Access(CheckSite site, int thread, in AccessPoint at, SyncVariables? of = null)
    {
        Dictionary<ulong, Knowledge> places = at.IsShared ? (of ?? this)._shared : log.Told;
        bool reads = site.Kind is SiteKind.Load or SiteKind.Atomic, writes = site.Kind is SiteKind.Store or SiteKind.Atomic;
        Knowledge? there = places.GetValueOrDefault(at.Address);
        if (reads && there?.Reaching(context.Block) is { } told) clocks.Read(thread, told, site.IsAcquire);
        if (!writes) return;
        Knowledge? published = clocks.Published(thread, site.IsRelease, site.IsBlockScope);
        // An atomic keeps what was told before it: those who read it have read what it read.
        if (site.Kind == SiteKind.Atomic) published = Knowledge.Join(there, published);
        if (published == null) places.Remove(at.Address);
        else places[at.Address] = published;
    }
}
