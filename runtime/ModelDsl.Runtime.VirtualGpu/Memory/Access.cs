using System.Diagnostics.CodeAnalysis;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Memory;

/// <summary>The slow side of an access: looking the allocation up, and saying what was wrong.</summary>
internal static unsafe class Access
{
    public static byte* Search(Warp* warp, Instr* instr, int lane, ulong address, int bytes, int span)
    {
        if ((address & (uint)(bytes - 1)) != 0)
            throw new FaultException(FindingKind.Misaligned, $"misaligned access: {bytes} bytes at 0x{address:x}, which is no multiple of {bytes}", instr, lane) { Address = address };
        if (AddressMap.IsParameter(address)) return Parameter(warp, instr, lane, address - AddressMap.ParameterWindow, bytes, span);
        MemoryRange* found = warp->Block->Heap->Find(address);
        if (found == null || found->Length - (address - found->Start) < (ulong)span)
        {
            // A run of lanes goes over the end somewhere: name the first lane that does.
            ulong inside = found == null ? 0 : found->Length - (address - found->Start);
            int steps = (int)(inside / (uint)bytes);
            throw new OutOfBoundsException(address + (ulong)(steps * bytes), bytes, instr, lane + (span > bytes ? steps : 0));
        }
        warp->Ranges[instr->Slot] = *found;
        return (byte*)(found->ToHost + (long)address);
    }

    /// <summary>Looks up the allocation of the first lane that takes part. True if it is another than the one the instruction had.</summary>
    public static bool Refresh(Warp* warp, Instr* instr, uint mask)
    {
        ulong address = ((ulong*)(warp->Registers + instr->A))[System.Numerics.BitOperations.TrailingZeroCount(mask)] + instr->Imm;
        MemoryRange* found = warp->Block->Heap->Find(address), cached = warp->Ranges + instr->Slot;
        if (found == null || found->Start == cached->Start) return false;
        *cached = *found;
        return true;
    }

    public static byte* Parameter(Warp* warp, Instr* instr, int lane, ulong address, int bytes, int span)
    {
        uint size = warp->Block->ParameterBytes;
        if (address > size || address + (uint)span > size)
            throw new FaultException(FindingKind.OutOfBounds, $"out of bounds: {bytes} bytes at parameter offset {(long)address}, the kernel has {size} bytes", instr, lane) { Address = address };
        return warp->Block->Parameters + address;
    }

    public static byte* Local(Warp* warp, Instr* instr, int lane, ulong address, int bytes, int span)
    {
        uint size = warp->Block->LocalBytes;
        if (address > size || address + (uint)span > size)
            throw new FaultException(FindingKind.OutOfBounds, $"out of bounds: {bytes} bytes at local offset {(long)address}, the thread has {size} bytes", instr, lane) { Address = address };
        if ((address & (uint)(bytes - 1)) != 0)
            throw new FaultException(FindingKind.Misaligned, $"misaligned access: {bytes} bytes at local offset {address}", instr, lane) { Address = address };
        return warp->Local + (nuint)lane * size + address;
    }

    /// <summary>Shared memory of a block of the cluster, at an address that is not an offset in the own block's; a fault if it is none at all.</summary>
    public static byte* FarShared(Warp* warp, Instr* instr, int lane, ulong address, int bytes, int span)
    {
        Cluster* cluster = warp->Block->Cluster;
        int rank = (int)(address >> Cluster.RankShift) - 1;
        if ((uint)rank >= (uint)cluster->Count || (address & (uint)(bytes - 1)) != 0) SharedFault(warp, instr, lane, address, bytes, span);
        BlockState* block = (*cluster)[rank];
        uint offset = (uint)address & Cluster.OffsetMask;
        if (offset + (ulong)(uint)span > block->SharedBytes)
            throw new FaultException(FindingKind.OutOfBounds, $"out of bounds: {bytes} bytes at offset {offset} of the shared memory of block {rank} in the cluster, which has {block->SharedBytes} bytes", instr, lane) { Address = address };
        if (block->HasExited && block != warp->Block)
            throw new FaultException(FindingKind.UseAfterFree, $"this accesses shared memory of block {rank} in the cluster, all threads of which have exited", instr, lane) { Address = address };
        return block->Shared + offset;
    }

    /// <summary>Memory behind <paramref name="span"/> bytes from a shared address on, wherever in the cluster.</summary>
    public static byte* Shared(Warp* warp, Instr* instr, int lane, ulong address, int bytes, int span)
    {
        BlockState* block = warp->Block;
        bool isOwn = address <= block->SharedBytes && address + (uint)span <= block->SharedBytes && (address & (uint)(bytes - 1)) == 0;
        return isOwn ? block->Shared + address : FarShared(warp, instr, lane, address, bytes, span);
    }

    [DoesNotReturn]
    private static void SharedFault(Warp* warp, Instr* instr, int lane, ulong address, int bytes, int span)
    {
        if ((address & (uint)(bytes - 1)) != 0)
            throw new FaultException(FindingKind.Misaligned, $"misaligned access: {bytes} bytes at shared offset {address}, which is no multiple of {bytes}", instr, lane) { Address = address };
        uint size = warp->Block->SharedBytes;
        if (span > bytes && address < size)
        {
            int steps = (int)((size - address) / (uint)bytes);
            lane += steps;
            address += (ulong)(steps * bytes);
        }
        throw new FaultException(FindingKind.OutOfBounds, $"out of bounds: {bytes} bytes at shared offset {(long)address}, the block has {size} bytes", instr, lane) { Address = address };
    }
}

/// <summary>An access where no allocation is.</summary>
internal sealed unsafe class OutOfBoundsException : FaultException
{
    public OutOfBoundsException(ulong address, int bytes, Instr* at, int lane)
        : base(FindingKind.OutOfBounds, $"out of bounds: {bytes} bytes at 0x{address:x}", at, lane) => Address = address;
}
