using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>Runs the checks of a launch, block by block: sends each instruction that comes along to those that have to do with it.</summary>
internal sealed unsafe partial class BlockChecker : IDisposable
{
    private readonly CheckContext _context;
    private readonly HeapShadow _heap;
    private readonly ThreadClocks _clocks = new();
    private readonly RegisterCheck _registers;
    private readonly InitCheck _init;
    private readonly OverflowCheck _overflow;
    private readonly AsyncCopies _copies;
    private readonly RaceCheck _races;
    private readonly BarrierCheck _barriers;
    private readonly ClusterBarrier _clusters;
    private readonly WarpCheck _warps;
    private readonly SyncVariables _variables;
    private readonly StaleReads _stale;
    private readonly LocalAddresses _localAddresses;
    private readonly SharedProxies _proxies;
    private readonly WarpgroupRegisters _registersOfGroups;

    /// <summary>Groups of products, and of bulk copies from shared memory.</summary>
    private readonly AsyncCopies _products, _stores;
    private readonly NativeBuffer _sharedCells = new();
    private GCHandle _handle;
    private AccessCell* _shared;
    private CheckSite[] _sites = [];
    private bool[] _isGap = [];
    private bool _checksMemory, _checksInit, _checksSync, _tracksShared, _tracksGlobal, _isAsync, _hasLocal;

    public BlockChecker(HeapShadow heap)
    {
        _heap = heap;
        _context = new CheckContext(heap.Log);
        _registers = new RegisterCheck(_context);
        _init = new InitCheck(_context);
        _overflow = new OverflowCheck(_context);
        _copies = new AsyncCopies(_context, _clocks);
        _products = new AsyncCopies(_context, _clocks);
        _stores = new AsyncCopies(_context, _clocks);
        _proxies = new SharedProxies(_context);
        _registersOfGroups = new WarpgroupRegisters(_context);
        _stale = new StaleReads(_context, heap.Log);
        _localAddresses = new LocalAddresses(_context, heap.Log.LocalAddresses);
        _races = new RaceCheck(_context, heap.Log, _clocks, _stale, e => e.Site.Kind switch { SiteKind.Product => _products, SiteKind.BulkCopy => _stores, _ => _copies });
        _barriers = new BarrierCheck(_context, _clocks);
        _clusters = new ClusterBarrier(_context, heap.Log, _clocks);
        _warps = new WarpCheck(_context, _clocks, _barriers);
        _variables = new SyncVariables(_context, heap.Log, _clocks);
        _handle = GCHandle.Alloc(this);
    }

    /// <summary>For <see cref="BlockState.Checker"/>.</summary>
    public nint Handle => GCHandle.ToIntPtr(_handle);

    public void Bind(LaunchInfo launch, BlockState* state)
    {
        if (!_context.IsBoundTo(launch.Kernel)) _sites = launch.Kernel.Sites.ToArray();
        _context.Bind(launch, state);
        MarkGaps(launch.Kernel.SharedGaps);
        _checksMemory = _context.Has(VirtualGpuChecks.Memory);
        _hasLocal = _checksMemory && state->LocalBytes > 0;
        _checksInit = _context.Has(VirtualGpuChecks.Init);
        _checksSync = _context.Has(VirtualGpuChecks.Sync);
        _tracksGlobal = _context.Has(VirtualGpuChecks.Race);
        _isAsync = launch.Kernel.Sites.Exists(site => site.Kind is SiteKind.Product or SiteKind.BulkCopy);
        _tracksShared = _tracksGlobal || (_checksSync && launch.Kernel.Sites.Exists(site => site.Kind == SiteKind.AsyncCopy));
    }

    public void Begin(long block)
    {
        _context.Block = block;
        int threads = 32 * _context.State->Warps;
        _clocks.Begin(block, threads);
        _copies.Begin();
        BeginAsync();
        _barriers.Begin();
        _warps.Begin();
        _variables.Begin();
        _stale.Begin();
        _localAddresses.Begin();
        if (_checksInit)
        {
            _registers.Begin();
            _init.Begin();
        }
        if (_checksMemory) _overflow.Begin();
        if (!_tracksShared) return;
        long bytes = ((_context.State->SharedBytes >> _heap.Log.Shift) + 1) * (long)sizeof(AccessCell);
        _shared = (AccessCell*)_sharedCells.Ensure(bytes);
        new Span<byte>(_shared, checked((int)bytes)).Clear();
    }

    public SiteKind KindOf(int site) => _sites[site].Kind;

    public void End() => _barriers.End();

    /// <param name="i">The instruction that called, which may be waited at.</param>
    /// <param name="active">Lanes that are here, whatever the guard says.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public Instr* Before(Warp* warp, Instr* i, uint active)
    {
        CheckSite site = _sites[i->Slot];
        Instr* instruction = i + 1;
        if (_checksInit && site.Guard != Decoding.KernelDecoder.AlwaysTrue) _registers.CheckGuard(warp, site, active);
        uint mask = active & (*(uint*)(warp->Registers + site.Guard) ^ (site.Instruction.GuardNegated ? Lanes.All : 0));
        if (mask == 0) return instruction;
        if (site.IsTogether && !_warps.Converge(warp, site, i, mask)) return Warp.Yield;
        if (_checksInit) _registers.Run(warp, site, mask, IsLocalStore(warp, site, mask));
        switch (site.Kind)
        {
            case SiteKind.WarpExchange:
                _warps.Run(warp, site, mask);
                if (_checksSync && site.Instruction.Name == "shfl") _warps.Shuffle(warp, site, mask);
                break;
            case SiteKind.WarpBarrier or SiteKind.WarpWide:
                _warps.Run(warp, site, mask);
                break;
            case SiteKind.Barrier or SiteKind.BarrierArrive:
                _barriers.Arrive(warp, site, mask);
                break;
            case SiteKind.ClusterArrive:
                _clusters.Arrive(warp, mask);
                break;
            case SiteKind.Exit:
                _barriers.Exit(warp, site, mask);
                break;
            case SiteKind.Fence:
                _clocks.Fence(warp->Index, mask, site.IsBlockScope);
                break;
            case SiteKind.AsyncCommit:
                _copies.Commit(warp, mask);
                break;
            case SiteKind.AsyncWait:
                _copies.Wait(warp, mask, site.GroupsLeft, site.Instruction.Has("wait_all"));
                break;
            case SiteKind.AsyncCopy:
                if (site.Addresses.Count == 2) Copy(warp, site, mask);
                break;
            case SiteKind.BulkCopy or SiteKind.BulkCommit or SiteKind.BulkWait or SiteKind.Product or SiteKind.ProductFence or SiteKind.ProductCommit or SiteKind.ProductWait
                or SiteKind.ProxyFence when _isAsync:
                Async(warp, site, mask);
                break;
            case SiteKind.MatrixLoad or SiteKind.MatrixStore:
                _warps.Run(warp, site, mask);
                if (site.Addresses.Count == 1 && mask == Lanes.All) Tiles(warp, site);
                break;
            case SiteKind.Load or SiteKind.Store or SiteKind.Atomic:
                if (site.WaitsForCopies) _copies.Wait(warp, mask, 0, all: true);
                if (site.Addresses.Count == 1) Access(warp, site, mask);
                break;
        }
        if (_checksMemory) _overflow.Run(warp, site, mask);
        if (_isAsync && _checksSync && site.Kind != SiteKind.Product) _registersOfGroups.Run(warp, site);
        return instruction;
    }

    public void After(Warp* warp, Instr* i, uint mask)
    {
        if (_sites[i->Slot].Kind == SiteKind.ClusterWait) _clusters.Leave(warp, mask);
        else _barriers.Leave(warp, mask);
    }

    public void Dispose()
    {
        _registers.Dispose();
        _init.Dispose();
        _overflow.Dispose();
        _sharedCells.Dispose();
        if (_handle.IsAllocated) _handle.Free();
    }
}
