using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// Addresses in local memory that threads leave in shared or global memory: the same number means other memory to each thread, so that nobody but who left it there can use it.
/// </summary>
/// <param name="global">Who left the one at each device address; shared by all blocks of a launch.</param>
internal sealed unsafe class LocalAddresses(CheckContext context, Dictionary<ulong, (long Block, int Thread)> global)
{
    private const int Bytes = sizeof(ulong);

    private readonly Dictionary<ulong, (long Block, int Thread)> _shared = [];

    public void Begin() => _shared.Clear();

    /// <summary>A load or store of one lane, before it is done.</summary>
    /// <param name="host">What is there.</param>
    public void Access(Warp* warp, CheckSite site, int lane, bool isShared, ulong address, byte* host)
    {
        Dictionary<ulong, (long Block, int Thread)> places = isShared ? _shared : global;
        int thread = 32 * warp->Index + lane;
        for (int at = 0; at < site.Bytes; at += Bytes)
        {
            ulong place = address + (uint)at;
            if (site.Kind == SiteKind.Store)
            {
                int row = site.Data.Length > at / Bytes ? site.Data[at / Bytes] : -1;
                if (row >= 0 && AddressMap.IsLocal(((ulong*)(warp->Registers + row))[lane])) places[place] = (context.Block, thread);
                else if (places.Count > 0) places.Remove(place);
            }
            else if (places.Count > 0 && AddressMap.IsLocal(*(ulong*)(host + at)) && places.TryGetValue(place, out var owner) && owner != (context.Block, thread)) Report(warp, site, lane, place, owner);
        }
    }

    private void Report(Warp* warp, CheckSite site, int lane, ulong address, (long Block, int Thread) owner)
    {
        if (!context.IsNew(FindingKind.LocalAddress, site)) return;
        string block = owner.Block == context.Block ? "" : $" of block {context.Launch.BlockAt(owner.Block)}";
        context.Report(
            FindingKind.LocalAddress, site, -1, warp, lane, address,
            $"this reads an address in local memory that thread {context.Launch.ThreadAt(owner.Thread)}{block} has left: here it means a variable of this thread's own");
    }
}
