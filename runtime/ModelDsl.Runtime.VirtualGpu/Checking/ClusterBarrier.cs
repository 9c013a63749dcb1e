using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary><c>barrier.cluster</c>: what threads know when they arrive, those know who have waited, in whatever block of the cluster.</summary>
internal sealed unsafe class ClusterBarrier(CheckContext context, AccessLog log, ThreadClocks clocks)
{
    /// <summary>Where in <see cref="AccessLog.Told"/>, whose other places are addresses.</summary>
    private ulong Place => ulong.MaxValue - (ulong)(*context.State->Cluster)[0]->Number;

    public void Arrive(Warp* warp, uint lanes)
    {
        Knowledge? told = log.Told.GetValueOrDefault(Place);
        for (uint left = lanes; left != 0; left &= left - 1)
            told = Knowledge.Join(told, clocks.Published(32 * warp->Index + Bits.TrailingZeroCount(left), isRelease: true, isBlockScope: false));
        log.Told[Place] = told!;
    }

    public void Leave(Warp* warp, uint lanes)
    {
        if (log.Told.GetValueOrDefault(Place) is not { } told) return;
        for (uint left = lanes; left != 0; left &= left - 1) clocks.Read(32 * warp->Index + Bits.TrailingZeroCount(left), told, isAcquire: true);
    }
}
