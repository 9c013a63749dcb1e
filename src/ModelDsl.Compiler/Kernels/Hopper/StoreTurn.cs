using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>A warpgroup's turns at writing a tile to shared memory and starting tensor stores of it, which run while the next tile is multiplied.</summary>
internal sealed record StoreTurn(KernelBuilder K, S32 Warpgroup)
{
    private S32 Thread => K.ThreadIdX & 127;

    /// <param name="write">By all threads, once the stores of the turn before have read shared memory.</param>
    /// <param name="store">By one thread.</param>
    public void Take(Action write, Action store)
    {
        AwaitRead();
        Sync();
        write();
        K.FenceAsyncProxy();
        Sync();
        K.If(Thread == 0, () =>
        {
            store();
            K.TensorStoreCommit();
        });
    }

    /// <summary>Until shared memory may be written again, or given up.</summary>
    public void AwaitRead() => K.If(Thread == 0, () => K.TensorStoreWaitRead(0));

    private void Sync() => K.Barrier(Warpgroup + 1, 128);
}
