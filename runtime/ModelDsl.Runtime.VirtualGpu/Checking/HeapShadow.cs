using System.Runtime.InteropServices;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>What checks know of device memory: a shadow for each allocation.</summary>
internal sealed class HeapShadow : IDisposable
{
    private readonly DeviceHeap _heap;
    private readonly Dictionary<ulong, AllocationShadow> _allocations = [];

    public HeapShadow(DeviceHeap heap)
    {
        _heap = heap;
        Log = new AccessLog(this);
    }

    /// <summary>The accesses of the launch that runs.</summary>
    public AccessLog Log { get; }

    public void Add(ulong start, ulong length) => _allocations.Add(start, new AllocationShadow(start, length));

    public void Remove(ulong start)
    {
        if (_allocations.Remove(start, out AllocationShadow? shadow)) shadow.Dispose();
    }

    /// <summary>The shadow of the allocation that an address is in; null where there is none.</summary>
    public unsafe AllocationShadow? Of(ulong address)
    {
        var range = _heap.Table->Find(address);
        return range == null ? null : _allocations.GetValueOrDefault(range->Start);
    }

    /// <summary>The host has written a range.</summary>
    public void Write(ulong address, long bytes)
    {
        if (bytes > 0) Of(address)?.Written(address, bytes).Fill(1);
    }

    /// <summary>What was never written is not after being copied either.</summary>
    public void Copy(ulong source, ulong destination, long bytes)
    {
        if (bytes > 0 && Of(source) is { } from && Of(destination) is { } to) from.Written(source, bytes).CopyTo(to.Written(destination, bytes));
    }

    /// <summary>Makes numbers of accesses free to be given out anew.</summary>
    public void ForgetAccesses()
    {
        foreach (AllocationShadow shadow in _allocations.Values) shadow.ForgetAccesses();
    }

    public void Dispose()
    {
        foreach (AllocationShadow shadow in _allocations.Values) shadow.Dispose();
        _allocations.Clear();
    }
}

/// <summary>One byte for each byte of an allocation, which says whether it was written, and who accessed it last. Pages cost nothing before they are touched.</summary>
internal sealed unsafe class AllocationShadow(ulong start, ulong length) : IDisposable
{
    private readonly nint[] _cells = new nint[AccessCell.MaxShift + 1];
    private byte* _written = (byte*)NativeMemory.AllocZeroed((nuint)length + 1);

    public ulong Start { get; } = start;

    public ulong Length { get; } = length;

    public bool IsLive => _written != null;

    public bool IsReadOnly { get; private set; }

    public Span<byte> Written(ulong address, long bytes) => new(_written + (address - Start), checked((int)bytes));

    public byte* WrittenAt(ulong address) => _written + (address - Start);

    public bool Holds(ulong address, int bytes) => address >= Start && address - Start < Length && Length - (address - Start) >= (ulong)bytes;

    /// <summary>A variable of a module has its initial value, zero where it has none.</summary>
    public void MarkVariable(bool isReadOnly)
    {
        NativeMemory.Fill(_written, (nuint)Length, 1);
        IsReadOnly = isReadOnly;
    }

    /// <summary>Accesses to pieces of <c>2^shift</c> bytes, from the piece of an address on.</summary>
    public AccessCell* Cells(ulong address, int shift)
    {
        ref nint cells = ref _cells[shift];
        if (cells == 0) cells = (nint)NativeMemory.AllocZeroed((nuint)((Length >> shift) + 1) * (nuint)sizeof(AccessCell));
        return (AccessCell*)cells + ((address - Start) >> shift);
    }

    public void ForgetAccesses()
    {
        for (int k = 0; k < _cells.Length; k++)
        {
            NativeMemory.Free((void*)_cells[k]);
            _cells[k] = 0;
        }
    }

    public void Dispose()
    {
        ForgetAccesses();
        NativeMemory.Free(_written);
        _written = null;
    }
}
