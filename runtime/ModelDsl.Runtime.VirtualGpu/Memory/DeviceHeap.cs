using System.Runtime.InteropServices;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Checking;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Memory;

/// <summary>
/// Device memory. Addresses grow and are never used twice, so that a stale pointer is always caught and every run gives the
/// same addresses; the host pages behind them come zeroed from the system when first touched.
/// </summary>
internal sealed unsafe class DeviceHeap(long limit) : IDisposable
{
    private const int Alignment = 256;

    /// <summary>Ranges given back that are remembered for reports.</summary>
    private const int FreedRemembered = 1024;

    private readonly Dictionary<ulong, nint> _blocks = [];
    private readonly Queue<(ulong Start, ulong Length)> _freed = new();
    private ulong _next = AddressMap.GlobalStart;
    private long _used;

    public AllocationTable* Table { get; } = (AllocationTable*)NativeMemory.AllocZeroed((nuint)sizeof(AllocationTable));

    /// <summary>What checks know of the memory; null where nothing is checked.</summary>
    public HeapShadow? Shadow { get; set; }

    /// <summary>Changes when memory is given back: what was looked up before may be gone.</summary>
    public int Version { get; private set; } = 1;

    /// <summary>Reserves memory and returns its device address.</summary>
    public ulong Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes > limit - _used)
            throw new DeviceException($"out of device memory: {bytes:N0} bytes asked for, {limit - _used:N0} of {limit:N0} free");
        nint block = Reserve(bytes);
        long host = (block + Alignment - 1) & -Alignment;
        ulong address = _next;
        _next = (address + (ulong)bytes + AddressMap.Gap + Alignment - 1) & ~(ulong)(Alignment - 1);
        _blocks.Add(address, block);
        _used += bytes;
        Append(new MemoryRange { Start = address, Length = (ulong)bytes, ToHost = host - (long)address });
        Shadow?.Add(address, (ulong)bytes);
        return address;
    }

    public void Free(ulong address)
    {
        if (!_blocks.Remove(address, out nint block)) throw new DeviceException($"no allocation starts at 0x{address:x}");
        Shadow?.Remove(address);
        AllocationTable* table = Table;
        int index = 0;
        while (table->Entries[index].Start != address) index++;
        Version++;
        _used -= (long)table->Entries[index].Length;
        if (_freed.Count == FreedRemembered) _freed.Dequeue();
        _freed.Enqueue((address, table->Entries[index].Length));
        long tail = table->Count - index - 1;
        Buffer.MemoryCopy(table->Entries + index + 1, table->Entries + index, tail * sizeof(MemoryRange), tail * sizeof(MemoryRange));
        table->Count--;
        NativeMemory.Free((void*)block);
    }

    /// <summary>Host memory behind a device range.</summary>
    public byte* Host(ulong address, long bytes, string what)
    {
        MemoryRange* range = Table->Find(address);
        if (bytes == 0 && range == null) return null;
        if (range == null || range->Length - (address - range->Start) < (ulong)bytes)
            throw new DeviceException($"{what} of {bytes} bytes at 0x{address:x} is out of bounds: {Nearest(address)}");
        return (byte*)(range->ToHost + (long)address);
    }

    /// <summary>Whether there was memory at an address not long ago: addresses are not used again.</summary>
    public bool IsFreed(ulong address)
    {
        foreach (var (start, length) in _freed)
            if (address - start < length) return true;
        return false;
    }

    /// <summary>For people: which allocation an address is in or just missed.</summary>
    public string Nearest(ulong address)
    {
        AllocationTable* table = Table;
        if (table->Count == 0) return "nothing is allocated";
        MemoryRange best = table->Entries[0];
        ulong distance = ulong.MaxValue;
        for (int i = 0; i < table->Count; i++)
        {
            MemoryRange range = table->Entries[i];
            ulong d = address < range.Start ? range.Start - address : address >= range.Start + range.Length ? address - (range.Start + range.Length) : 0;
            if (d < distance) (best, distance) = (range, d);
        }
        string allocation = $"the allocation 0x{best.Start:x} of {best.Length:N0} bytes";
        if (address < best.Start) return $"it is {best.Start - address:N0} bytes before {allocation}";
        ulong offset = address - best.Start;
        return offset < best.Length
            ? $"it runs over the end of {allocation}, from offset {offset:N0}"
            : $"it is {offset - best.Length:N0} bytes past the end of {allocation}";
    }

    public void Dispose()
    {
        foreach (nint block in _blocks.Values) NativeMemory.Free((void*)block);
        _blocks.Clear();
        Shadow?.Dispose();
        Table->Count = 0;
    }

    private static nint Reserve(long bytes)
    {
        try
        {
            return (nint)NativeMemory.AllocZeroed((nuint)bytes + Alignment);
        }
        catch (OutOfMemoryException e)
        {
            throw new DeviceException($"out of host memory: {bytes:N0} bytes asked for", e);
        }
    }

    private void Append(MemoryRange range)
    {
        AllocationTable* table = Table;
        if (table->Count == table->Capacity)
        {
            table->Capacity = Math.Max(64, table->Capacity * 2);
            table->Entries = (MemoryRange*)NativeMemory.Realloc(table->Entries, (nuint)(table->Capacity * sizeof(MemoryRange)));
        }
        table->Entries[table->Count++] = range;
    }
}
