using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using Bits = System.Numerics.BitOperations;

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
    private readonly SharedProxies _proxies;
    private readonly WarpgroupRegisters _registersOfGroups;

    /// <summary>Groups of products, and of bulk copies from shared memory.</summary>
    private readonly AsyncCopies _products, _stores;
    private readonly NativeBuffer _sharedCells = new();
    private GCHandle _handle;
    private AccessCell* _shared;
    private CheckSite[] _sites = [];
    private bool[] _isGap = [];
    private bool _checksMemory, _checksInit, _checksSync, _tracksShared, _tracksGlobal, _isAsync;

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
        _races = new RaceCheck(_context, heap.Log, _clocks, e => e.Site.Kind switch { SiteKind.Product => _products, SiteKind.BulkCopy => _stores, _ => _copies });
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Access(Warp* warp, CheckSite site, uint mask)
    {
        SiteAddress address = site.Addresses[0];
        if (address.Space == StateSpace.Param) return;
        if (_checksMemory) _overflow.CheckAddress(warp, site, address, mask);
        bool reads = site.Kind is SiteKind.Load or SiteKind.Atomic, writes = site.Kind is SiteKind.Store or SiteKind.Atomic;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            Touch(warp, site, lane, mask, address.Space, AddressOf(warp, address, lane), site.Bytes, reads, writes, -1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Copy(Warp* warp, CheckSite site, uint mask)
    {
        var (to, from) = (site.Addresses[0], site.Addresses[1]);
        if (_checksMemory)
        {
            _overflow.CheckAddress(warp, site, to, mask);
            _overflow.CheckAddress(warp, site, from, mask);
        }
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left), bytes = site.Bytes;
            if (site.SizeRow >= 0) bytes = (int)Math.Min(((uint*)(warp->Registers + site.SizeRow))[lane], (uint)bytes);
            if (site.IgnoreSlot >= 0 && ((*(uint*)(warp->Registers + site.IgnoreSlot) ^ site.IgnoreFlip) >> lane & 1) != 0) bytes = 0;
            if (bytes > 0) Touch(warp, site, lane, mask, from.Space, AddressOf(warp, from, lane), bytes, reads: true, writes: false, -1);
            Touch(warp, site, lane, mask, to.Space, AddressOf(warp, to, lane), site.Bytes, reads: false, writes: true, _copies.Group(32 * warp->Index + lane));
        }
    }

    /// <summary>Rows of tiles, four bytes for each of four lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Tiles(Warp* warp, CheckSite site)
    {
        SiteAddress address = site.Addresses[0];
        if (_checksMemory) _overflow.CheckAddress(warp, site, address, Lanes.All);
        int tiles = site.Instruction.Has("x4") ? 4 : site.Instruction.Has("x2") ? 2 : 1;
        bool isLoad = site.Kind == SiteKind.MatrixLoad;
        for (int row = 0; row < 8 * tiles; row++)
        {
            ulong start = AddressOf(warp, address, row);
            for (int part = 0; part < 4; part++)
                Touch(warp, site, 4 * (row & 7) + part, Lanes.All, StateSpace.Shared, start + (uint)(4 * part), 4, isLoad, !isLoad, -1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AddressOf(Warp* warp, in SiteAddress address, int lane)
    {
        byte* row = warp->Registers + address.Row;
        if (address.IsWide) return ((ulong*)row)[lane] + address.Offset;
        uint narrow = ((uint*)row)[lane];
        return address.Space == StateSpace.Shared ? narrow + (uint)address.Offset : narrow + address.Offset;
    }

    /// <summary>One lane's access. What is out of bounds is left to the instruction itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Touch(Warp* warp, CheckSite site, int lane, uint mask, StateSpace space, ulong address, int bytes, bool reads, bool writes, int group)
    {
        if (space == StateSpace.Generic)
        {
            space = AddressMap.IsShared(address) ? StateSpace.Shared : AddressMap.IsLocal(address) ? StateSpace.Local : StateSpace.Global;
            address -= Decoding.MemoryDecoder.Window(space);
        }
        BlockState* block = _context.State;
        switch (space)
        {
            case StateSpace.Local:
                if (_checksInit && address <= block->LocalBytes && address + (uint)bytes <= block->LocalBytes) TouchLocal(warp, site, lane, _init.Local(warp, lane, address), bytes, reads, writes);
                return;
            case StateSpace.Shared:
                if (address >> Cluster.RankShift != 0 && IsElsewhere(warp, site, lane, mask, ref address, bytes, writes)) return;
                if (address > block->SharedBytes || address + (uint)bytes > block->SharedBytes) return;
                if (_isGap.Length > 0 && (_isGap[address >> 2] || _isGap[(address + (uint)bytes - 1) >> 2]) && IsInGap(warp, site, lane, (uint)address, bytes)) return;
                if (_checksInit) Initialise(warp, site, lane, _init.Shared(address), bytes, reads, writes, "shared", address);
                if (_isAsync && writes && site.Kind != SiteKind.BulkCopy) _proxies.Store(site, 32 * warp->Index + lane, address, bytes);
                if (!_tracksShared) return;
                var place = new AccessPoint(warp, site, lane, mask, space, address, block->Shared + address);
                Track(warp, site, lane, place, _shared + (address >> _heap.Log.Shift), bytes, reads, writes, group);
                return;
        }
        AllocationShadow? shadow = site.Last;
        if (shadow is not { IsLive: true } || !shadow.Holds(address, bytes))
        {
            shadow = _heap.Of(address);
            if (shadow == null || !shadow.Holds(address, bytes)) return;
            site.Last = shadow;
        }
        if (writes && _checksMemory && shadow.IsReadOnly && _context.IsNew(FindingKind.ReadOnly, site))
            _context.Report(FindingKind.ReadOnly, site, -1, warp, lane, address, "this writes to constant memory");
        if (_checksInit) Initialise(warp, site, lane, shadow.WrittenAt(address), bytes, reads, writes, "global", address);
        if (!_tracksGlobal) return;
        MemoryRange* range = block->Heap->Find(address);
        var point = new AccessPoint(warp, site, lane, mask, StateSpace.Global, address, (byte*)(range->ToHost + (long)address));
        Track(warp, site, lane, point, shadow.Cells(address, _heap.Log.Shift), bytes, reads, writes, group);
    }

    /// <summary>Marks the words that are in gaps.</summary>
    private void MarkGaps(List<Decoding.SharedGap> gaps)
    {
        _isGap = gaps.Count == 0 ? [] : new bool[(_context.State->SharedBytes >> 2) + 1];
        foreach (var (start, end, _) in gaps)
            for (uint word = (start + 3) >> 2; word < end >> 2; word++) _isGap[word] = true;
    }

    /// <summary>Whether an access runs over the end of a shared variable.</summary>
    private bool IsInGap(Warp* warp, CheckSite site, int lane, uint offset, int bytes)
    {
        foreach (var (start, end, behind) in _context.Launch.Kernel.SharedGaps)
        {
            if (offset >= end || offset + (uint)bytes <= start) continue;
            if (_context.IsNew(FindingKind.OutOfBounds, site))
                _context.Report(FindingKind.OutOfBounds, site, -1, warp, lane, offset, $"out of bounds: {bytes} bytes at shared offset {offset}, {offset + (uint)bytes - start} bytes over the end of '{behind}'");
            return true;
        }
        return false;
    }

    /// <summary>Loads and stores of local memory are copies: undefined values may pass through it.</summary>
    private void TouchLocal(Warp* warp, CheckSite site, int lane, byte* written, int bytes, bool reads, bool writes)
    {
        if (reads && !site.IsInFrame && !InitCheck.HasSomeOfEach(site, written, bytes)) _registers.Undefine(warp, site, lane);
        if (!writes) return;
        if (_registers.HasData(warp, site, lane)) InitCheck.Write(written, bytes);
        else new Span<byte>(written, bytes).Clear();
    }

    /// <summary>Whether it is a store to local memory, as far as the first lane tells.</summary>
    private static bool IsLocalStore(Warp* warp, CheckSite site, uint mask)
    {
        if (site.Kind != SiteKind.Store || site.Addresses.Count != 1) return false;
        SiteAddress address = site.Addresses[0];
        return address.Space == StateSpace.Local || (address.Space == StateSpace.Generic && AddressMap.IsLocal(AddressOf(warp, address, Bits.TrailingZeroCount(mask))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Initialise(Warp* warp, CheckSite site, int lane, byte* written, int bytes, bool reads, bool writes, string space, ulong address)
    {
        if (reads && !site.IsBlind) _init.Read(warp, site, lane, written, bytes, space, address);
        if (writes) InitCheck.Write(written, bytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Track(Warp* warp, CheckSite site, int lane, in AccessPoint at, AccessCell* cell, int bytes, bool reads, bool writes, int group)
    {
        uint id = _races.Event(site, warp->Index, group) | (uint)lane;
        _races.Enter(warp->Index, lane);
        for (int done = 0; done < bytes; done += 1 << _heap.Log.Shift, cell++)
        {
            if (writes) _races.Write(cell, id, site, at);
            else _races.Read(cell, id, site, at);
        }
        if (site.IsStrong) _variables.Access(site, 32 * warp->Index + lane, at);
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
