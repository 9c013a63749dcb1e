using System.Runtime.CompilerServices;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

// Loads, stores, copies and tiles: each access of a lane to those checks that have to do with its memory.
internal sealed unsafe partial class BlockChecker
{
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
                if (_hasLocal && HasAddress(site)) _localAddresses.Access(warp, site, lane, isShared: true, address, block->Shared + address);
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
        bool hasAddress = _hasLocal && HasAddress(site);
        if (!_tracksGlobal && !hasAddress) return;
        MemoryRange* range = block->Heap->Find(address);
        if (hasAddress) _localAddresses.Access(warp, site, lane, isShared: false, address, (byte*)(range->ToHost + (long)address));
        if (!_tracksGlobal) return;
        var point = new AccessPoint(warp, site, lane, mask, StateSpace.Global, address, (byte*)(range->ToHost + (long)address));
        Track(warp, site, lane, point, shadow.Cells(address, _heap.Log.Shift), bytes, reads, writes, group);
    }

    /// <summary>Whether what is loaded or stored may be an address.</summary>
    private static bool HasAddress(CheckSite site) => site.Kind is SiteKind.Load or SiteKind.Store && site.Bytes >= sizeof(ulong) && site.DataBytes == sizeof(ulong);

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
}
