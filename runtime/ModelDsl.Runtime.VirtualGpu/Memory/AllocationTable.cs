using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Memory;

/// <summary>All allocations in order of address, in native memory so that instruction handlers can search it.</summary>
internal unsafe struct AllocationTable
{
    public MemoryRange* Entries;
    public int Count;
    public int Capacity;

    /// <summary>The range that holds an address, or null.</summary>
    public readonly MemoryRange* Find(ulong address)
    {
        int low = 0, high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (Entries[middle].Start <= address) low = middle + 1;
            else high = middle;
        }
        if (low == 0) return null;
        MemoryRange* range = Entries + low - 1;
        return address - range->Start < range->Length ? range : null;
    }
}
