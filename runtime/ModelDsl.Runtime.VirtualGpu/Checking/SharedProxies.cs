using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// Shared memory as two proxies see it: what plain stores have written there, bulk copies and <c>wgmma</c> see after a <c>fence.proxy.async</c>, of the
/// thread that stored or, later, of one that reads.
/// </summary>
internal sealed unsafe class SharedProxies(CheckContext context)
{
    private const int PieceShift = 4;

    /// <summary>Who stored last into 16 bytes, and when; nobody where the last to write was a bulk copy.</summary>
    private (CheckSite? Site, int Thread, long Tick)[] _stores = [];
    private long[] _fences = [];
    private long _tick;

    public void Begin()
    {
        _stores = new (CheckSite?, int, long)[(context.State->SharedBytes >> PieceShift) + 1];
        _fences = new long[32 * context.State->Warps];
    }

    public void Store(CheckSite site, int thread, ulong address, int bytes)
    {
        _tick++;
        for (ulong piece = address >> PieceShift; piece <= address + (ulong)bytes - 1 >> PieceShift; piece++) _stores[piece] = (site, thread, _tick);
    }

    /// <summary>A bulk copy has written.</summary>
    public void Clear(ulong address, int bytes) => Array.Clear(_stores, (int)(address >> PieceShift), bytes >> PieceShift);

    public void Fence(Warp* warp, uint lanes)
    {
        _tick++;
        for (uint left = lanes; left != 0; left &= left - 1) _fences[32 * warp->Index + Bits.TrailingZeroCount(left)] = _tick;
    }

    /// <summary>A bulk copy or a product reads 16 bytes.</summary>
    public void Read(Warp* warp, CheckSite site, int lane, ulong address) => Require(warp, site, lane, address, "reads");

    /// <summary>A bulk copy is going to write; what was stored there before could still come after it.</summary>
    public void Overwrite(Warp* warp, CheckSite site, int lane, ulong address, int bytes)
    {
        for (ulong piece = address; piece < address + (ulong)bytes; piece += 1 << PieceShift) Require(warp, site, lane, piece, "writes");
        Clear(address, bytes);
    }

    private void Require(Warp* warp, CheckSite site, int lane, ulong address, string does)
    {
        var (store, thread, tick) = _stores[address >> PieceShift];
        if (store == null || _fences[thread] > tick || _fences[32 * warp->Index + lane] > tick || !context.IsNew(FindingKind.ProxyFence, site, store.Position)) return;
        context.Report(
            FindingKind.ProxyFence, site, store.Position, warp, lane, address,
            $"this {does} shared memory through the async proxy that thread {context.Launch.ThreadAt(thread)} has stored to, and no proxy fence is in between");
    }
}
