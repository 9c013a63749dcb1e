using System.Runtime.CompilerServices;
using ModelDsl.Runtime.VirtualGpu.Execution;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// Shared and global memory that is read before anybody has written it: a byte of shadow for each byte. Whether
/// the value matters later is not asked, so the line named is the one that reads. Local memory has its shadow here, too.
/// </summary>
internal sealed unsafe class InitCheck(CheckContext context) : IDisposable
{
    private const uint Four = 0x01010101;
    private const ulong Eight = 0x0101010101010101;
    private readonly NativeBuffer _shared = new(), _local = new();
    private byte* _sharedRows, _localRows;

    public void Begin()
    {
        BlockState* block = context.State;
        long local = (long)block->LocalBytes * 32 * block->Warps;
        _sharedRows = _shared.Ensure(block->SharedBytes + 1);
        _localRows = _local.Ensure(local + 1);
        new Span<byte>(_sharedRows, (int)block->SharedBytes).Clear();
        new Span<byte>(_localRows, checked((int)local)).Clear();
    }

    public byte* Shared(ulong offset) => _sharedRows + offset;

    public byte* Local(Warp* warp, int lane, ulong offset) => _localRows + ((long)warp->Index * 32 + lane) * context.State->LocalBytes + (long)offset;

    public static void Write(byte* written, int bytes) => new Span<byte>(written, bytes).Fill(1);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Read(Warp* warp, CheckSite site, int lane, byte* written, int bytes, string space, ulong address)
    {
        bool isWritten = bytes switch
        {
            4 => *(uint*)written == Four,
            8 => *(ulong*)written == Eight,
            16 => (*(ulong*)written & *((ulong*)written + 1)) == Eight,
            _ => !new ReadOnlySpan<byte>(written, bytes).Contains((byte)0),
        };
        if (!isWritten) Report(warp, site, lane, written, bytes, space, address);
    }

    private void Report(Warp* warp, CheckSite site, int lane, byte* written, int bytes, string space, ulong address)
    {
        int first = new ReadOnlySpan<byte>(written, bytes).IndexOf((byte)0);
        Write(written, bytes);
        if (!context.IsNew(FindingKind.UninitialisedMemory, site)) return;
        context.ReportUnlessRacing(
            FindingKind.UninitialisedMemory, site, warp, lane, address + (ulong)first,
            $"{bytes} bytes of {space} memory are read here, of which the one at 0x{address + (ulong)first:x} was never written");
    }

    /// <summary>Compilers copy structures in local memory by words, padding and all: it is enough if something of each element was written.</summary>
    public static bool HasSomeOfEach(CheckSite site, byte* written, int bytes)
    {
        int element = site.DataBytes > 0 ? site.DataBytes : bytes;
        for (int at = 0; at < bytes; at += element)
            if (!new ReadOnlySpan<byte>(written + at, element).Contains((byte)1)) return false;
        return true;
    }

    public void Dispose()
    {
        _shared.Dispose();
        _local.Dispose();
    }
}
