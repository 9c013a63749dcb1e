using ModelDsl.Runtime.VirtualGpu.Decoding;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// The accesses of a launch, by number, and what else its blocks share. Numbers go on from launch to launch, so that marks which earlier
/// ones have left in the shadow of memory are known by their number.
/// </summary>
internal sealed class AccessLog(HeapShadow heap)
{
    /// <summary>A number and a lane fill 32 bits.</summary>
    private const uint MostEvents = 1u << 26;

    private readonly HashSet<(CheckSite, FindingKind, int)> _reported = [];
    private readonly List<(CheckSite Site, Finding Finding)> _deferred = [];
    private readonly HashSet<CheckSite> _racing = [];
    private AccessEvent[] _events = new AccessEvent[1024];
    private DecodedKernel? _kernel;
    private uint _base = 1, _count;

    /// <summary>Pieces of memory are <c>2^Shift</c> bytes: the narrowest access of the kernel.</summary>
    public int Shift { get; private set; }

    /// <summary>What the last strong write of each place in device memory tells its readers.</summary>
    public Dictionary<ulong, Knowledge> Told { get; } = [];

    /// <summary>Addresses in local memory that threads have left in device memory.</summary>
    public Dictionary<ulong, (long Block, int Thread)> LocalAddresses { get; } = [];

    public void Begin(DecodedKernel kernel)
    {
        if (_base > MostEvents) Restart();
        if (_kernel != kernel) _reported.Clear();
        (_kernel, _count) = (kernel, 0);
        Told.Clear();
        LocalAddresses.Clear();
        _deferred.Clear();
        _racing.Clear();
        int narrowest = 1 << AccessCell.MaxShift;
        foreach (CheckSite site in kernel.Sites)
        {
            site.LastEvent = default;
            if (site.Addresses.Count == 0 || site.Bytes == 0) continue;
            // The rows of a matrix tile are spread over the lanes four bytes each.
            narrowest = Math.Min(narrowest, site.Kind is SiteKind.MatrixLoad or SiteKind.MatrixStore ? 4 : site.Bytes);
        }
        Shift = System.Numerics.BitOperations.Log2((uint)narrowest);
    }

    /// <summary>After the last block: what was put off is said.</summary>
    public void End(FindingLog findings)
    {
        foreach (var (site, finding) in _deferred)
            if (!_racing.Contains(site)) findings.Add(finding);
        _base += _count;
    }

    /// <summary>Keeps a finding until it is known whether it only follows from a race of the same instruction: who reads too early may read what is not there yet.</summary>
    public void Defer(CheckSite site, Finding finding) => _deferred.Add((site, finding));

    public void NoteRace(CheckSite site, CheckSite other)
    {
        _racing.Add(site);
        _racing.Add(other);
    }

    /// <summary>True the first time for a kind of mistake at an instruction (and a second one).</summary>
    public bool IsNew(FindingKind kind, CheckSite site, int otherPosition) => _reported.Add((site, kind, otherPosition));

    public bool IsOfLaunch(uint id) => id >> 5 >= _base;

    public ref AccessEvent Of(uint id) => ref _events[(id >> 5) - _base];

    /// <summary>Number of an access by a warp, with room for the lane.</summary>
    public uint Add(in AccessEvent access)
    {
        if (_base + _count >= 2 * MostEvents - 1)
        {
            // A launch of that many has to begin anew: what came before is forgotten.
            Restart();
            foreach (CheckSite site in _kernel!.Sites) site.LastEvent = default;
        }
        if (_count == _events.Length) Array.Resize(ref _events, 2 * _events.Length);
        _events[_count] = access;
        return (_base + _count++) << 5;
    }

    private void Restart()
    {
        heap.ForgetAccesses();
        (_base, _count) = (1, 0);
    }
}
