using ModelDsl.Runtime.VirtualGpu.Execution;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>One lane's access to memory.</summary>
/// <param name="space">Where it goes; never generic.</param>
/// <param name="address">Device address, or the offset in shared or local memory.</param>
/// <param name="host">What is there.</param>
internal readonly unsafe struct AccessPoint(Warp* warp, CheckSite site, int lane, uint mask, StateSpace space, ulong address, byte* host)
{
    public bool IsShared => space == StateSpace.Shared;

    public ulong Address => address;

    /// <summary>
    /// Whether a store writes what is there already, or what another lane writes there at the same time.
    /// </summary>
    /// <param name="isSameInstruction">The other access may be of this very execution of the instruction.</param>
    public bool IsSameValue(int otherLane, bool isSameInstruction)
    {
        if (site.Kind != SiteKind.Store || site.Data.Length == 0 || host == null) return false;
        byte* mine = stackalloc byte[16], other = stackalloc byte[16];
        Gather(lane, mine);
        var value = new ReadOnlySpan<byte>(mine, site.Bytes);
        if (value.SequenceEqual(new ReadOnlySpan<byte>(host, site.Bytes))) return true;
        if (!isSameInstruction || (mask >> otherLane & 1) == 0) return false;
        Gather(otherLane, other);
        return value.SequenceEqual(new ReadOnlySpan<byte>(other, site.Bytes));
    }

    private void Gather(int from, byte* to)
    {
        int stride = site.DataRowBytes == 8 ? 8 : 4, at = 0;
        foreach (int row in site.Data)
        {
            if (row < 0 || at + site.DataBytes > 16) break;
            Buffer.MemoryCopy(warp->Registers + row + stride * from, to + at, 16 - at, site.DataBytes);
            at += site.DataBytes;
        }
    }
}
