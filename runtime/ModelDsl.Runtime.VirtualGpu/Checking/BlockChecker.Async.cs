using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

// Hopper: what bulk copies and products of warpgroups read and write while the threads go on.
internal sealed unsafe partial class BlockChecker
{
    private const int Piece = 16;

    private void BeginAsync()
    {
        _products.Begin();
        _stores.Begin();
        if (!_isAsync) return;
        _proxies.Begin();
        _registersOfGroups.Begin();
    }

    private void Async(Warp* warp, CheckSite site, uint mask)
    {
        switch (site.Kind)
        {
            case SiteKind.BulkCopy:
                if (site.Operands != 0) TensorCopies(warp, site, mask);
                else if (site.SizeRow >= 0) BulkCopies(warp, site, mask);
                break;
            case SiteKind.BulkCommit:
                _stores.Commit(warp, mask);
                break;
            case SiteKind.BulkWait:
                _stores.Wait(warp, mask, site.GroupsLeft, all: false);
                break;
            case SiteKind.Product:
                Product(warp, site);
                break;
            case SiteKind.ProductFence:
                _registersOfGroups.Fence(warp);
                break;
            case SiteKind.ProductCommit:
                _registersOfGroups.Commit(warp);
                _products.Commit(warp, mask);
                break;
            case SiteKind.ProductWait:
                _registersOfGroups.Wait(warp, site.GroupsLeft);
                _products.Wait(warp, mask, site.GroupsLeft, all: false);
                // The warp waits as one, so each lane may tell others of it.
                _warps.Meet(warp, mask);
                break;
            case SiteKind.ProxyFence:
                _proxies.Fence(warp, mask);
                break;
        }
    }

    /// <summary>What a warp's part of a product reads: its rows of A, and all of B.</summary>
    private void Product(Warp* warp, CheckSite site)
    {
        int* o = (int*)site.Operands;
        int flags = o[WarpgroupMultiply.OperandFlags];
        bool fromRegisters = (flags & WarpgroupMultiply.FlagRegisters) != 0;
        if (_checksSync) _registersOfGroups.Product(warp, site, fromRegisters ? new ReadOnlySpan<int>(o + WarpgroupMultiply.OperandFragment, 4) : []);
        if (!fromRegisters) Read(warp, site, o[WarpgroupMultiply.OperandA], warp->Index % Warpgroup.Warps * 16, 16, (flags & WarpgroupMultiply.FlagTransposeA) != 0);
        Read(warp, site, o[WarpgroupMultiply.OperandB], 0, o[WarpgroupMultiply.OperandColumns], (flags & WarpgroupMultiply.FlagTransposeB) != 0);
    }

    private void Read(Warp* warp, CheckSite site, int descriptorRow, int first, int rows, bool isTransposed)
    {
        var descriptor = new MatrixDescriptor(*(ulong*)(warp->Registers + descriptorRow));
        int group = _products.Group(32 * warp->Index), pieces = isTransposed ? rows / 8 * (MatrixDescriptor.RowBytes / 2) : 2 * rows;
        for (int n = 0; n < pieces; n++)
        {
            ulong at = isTransposed ? descriptor.PlaceTransposed(first + n % (rows / 8) * 8, n / (rows / 8)) : descriptor.Place(first + n / 2, n % 2);
            ReadPiece(warp, site, 0, Lanes.All, at, group);
        }
    }

    /// <summary>What is out of bounds is left to the instruction itself.</summary>
    private void ReadPiece(Warp* warp, CheckSite site, int lane, uint mask, ulong at, int group)
    {
        if (at + Piece > _context.State->SharedBytes) return;
        if (_checksSync) _proxies.Read(warp, site, lane, at);
        Touch(warp, site, lane, mask, StateSpace.Shared, at, Piece, reads: true, writes: false, group);
    }

    private void BulkCopies(Warp* warp, CheckSite site, uint mask)
    {
        bool toShared = site.Addresses.Count == 3;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            uint bytes = ((uint*)(warp->Registers + site.SizeRow))[lane];
            ulong shared = AddressOf(warp, site.Addresses[0], lane), global = AddressOf(warp, site.Addresses[1], lane);
            if (toShared)
            {
                Fill(warp, site, lane, mask, shared, bytes);
                Complete(warp, lane, AddressOf(warp, site.Addresses[2], lane));
                continue;
            }
            Drain(warp, site, lane, mask, shared, bytes);
            MarkGlobal(global, bytes);
        }
    }

    private void TensorCopies(Warp* warp, CheckSite site, uint mask)
    {
        int* o = (int*)site.Operands, at = stackalloc int[TensorMap.MostDimensions];
        byte* r = warp->Registers;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left);
            TensorMapImage* map = MapAt(AddressOf(warp, site.Addresses[^1], lane));
            if (map == null || !map->IsValid || map->Rank != o[TensorCopy.OperandRank]) return;
            ulong shared = TensorCopy.SharedAddress(r, o + TensorCopy.OperandShared, lane);
            if ((TensorCopyKind)o[TensorCopy.OperandKind] == TensorCopyKind.Load)
            {
                ulong barrier = TensorCopy.SharedAddress(r, o + TensorCopy.OperandBarrier, lane);
                if (o[TensorCopy.OperandMulticast] < 0)
                {
                    Fill(warp, site, lane, mask, shared, (uint)map->TileBytes);
                    Complete(warp, lane, barrier);
                    continue;
                }
                Multicast(warp, site, lane, mask, ((uint*)(r + o[TensorCopy.OperandMulticast]))[lane], shared & Cluster.OffsetMask, (uint)map->TileBytes, barrier & Cluster.OffsetMask);
                continue;
            }
            Drain(warp, site, lane, mask, shared, (uint)map->TileBytes);
            for (int n = 0; n < map->Rank; n++) at[n] = ((int*)(r + o[TensorCopy.OperandCoordinates + n]))[lane];
            var walk = new TensorWalk(map, at);
            while (walk.MoveNext())
                if (walk.IsInside) MarkGlobal(walk.Global, (uint)walk.Span);
        }
    }

    /// <summary>
    /// Whether an access goes to another block of the cluster. What is told there it takes part in; races are looked for in the own block only, whose
    /// addresses may have a rank, too.
    /// </summary>
    private bool IsElsewhere(Warp* warp, CheckSite site, int lane, uint mask, ref ulong address, int bytes, bool writes)
    {
        int rank = (int)(address >> Cluster.RankShift) - 1;
        if (rank >= _context.State->Cluster->Count) return true;
        ulong offset = address & Cluster.OffsetMask;
        if (rank == _context.State->Rank)
        {
            address = offset;
            return false;
        }
        BlockChecker other = Of(rank);
        if (offset + (uint)bytes > other._context.State->SharedBytes) return true;
        if (writes && other._checksInit) InitCheck.Write(other._init.Shared(offset), bytes);
        if (site.IsStrong) _variables.Access(site, 32 * warp->Index + lane, new AccessPoint(warp, site, lane, mask, StateSpace.Shared, offset, null), other._variables);
        return true;
    }

    private BlockChecker Of(int rank) => Unsafe.As<BlockChecker>(GCHandle.FromIntPtr((*_context.State->Cluster)[rank]->Checker).Target!);

    private void Multicast(Warp* warp, CheckSite site, int lane, uint mask, uint blocks, ulong shared, uint bytes, ulong barrier)
    {
        for (; blocks != 0; blocks &= blocks - 1)
        {
            int rank = Bits.TrailingZeroCount(blocks);
            if (rank >= _context.State->Cluster->Count) return;
            if (rank == _context.State->Rank)
            {
                Fill(warp, site, lane, mask, shared, bytes);
                Complete(warp, lane, barrier);
                continue;
            }
            BlockChecker other = Of(rank);
            if (shared + bytes > other._context.State->SharedBytes) return;
            if (other._checksInit) InitCheck.Write(other._init.Shared(shared), (int)bytes);
            other._proxies.Clear(shared, (int)bytes);
            _variables.Complete(32 * warp->Index + lane, barrier, other._variables);
        }
    }

    /// <summary>A copy writes shared memory: nobody may be reading there any more.</summary>
    private void Fill(Warp* warp, CheckSite site, int lane, uint mask, ulong at, uint bytes)
    {
        uint room = _context.State->SharedBytes;
        if (bytes == 0 || at > room || at + bytes > room) return;
        Touch(warp, site, lane, mask, StateSpace.Shared, at, (int)bytes, reads: false, writes: true, -1);
        if (_checksSync) _proxies.Overwrite(warp, site, lane, at, (int)bytes);
        else _proxies.Clear(at, (int)bytes);
    }

    /// <summary>A copy reads shared memory, until its group has been waited for.</summary>
    private void Drain(Warp* warp, CheckSite site, int lane, uint mask, ulong at, uint bytes)
    {
        int group = _stores.Group(32 * warp->Index + lane);
        for (uint done = 0; done < bytes; done += Piece) ReadPiece(warp, site, lane, mask, at + done, group);
    }

    /// <summary>Whoever finds the phase of the mbarrier ended knows of the copy.</summary>
    private void Complete(Warp* warp, int lane, ulong barrier) => _variables.Complete(32 * warp->Index + lane, barrier);

    private void MarkGlobal(ulong to, uint bytes)
    {
        if (_checksInit && _heap.Of(to) is { } shadow && shadow.Holds(to, (int)Math.Min(bytes, int.MaxValue))) _heap.Write(to, bytes);
    }

    private TensorMapImage* MapAt(ulong address)
    {
        BlockState* block = _context.State;
        if (AddressMap.IsParameter(address))
        {
            ulong offset = address - AddressMap.ParameterWindow;
            return offset + TensorMap.Bytes <= block->ParameterBytes ? (TensorMapImage*)(block->Parameters + offset) : null;
        }
        MemoryRange* range = block->Heap->Find(address);
        return range != null && range->Length - (address - range->Start) >= TensorMap.Bytes ? (TensorMapImage*)(range->ToHost + (long)address) : null;
    }
}
