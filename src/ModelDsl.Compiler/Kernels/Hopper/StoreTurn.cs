using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>A warpgroup's turns at writing a tile to shared memory and starting tensor stores of it, which run while the next tile is multiplied.</summary>
internal sealed record StoreTurn(KernelBuilder K, S32 Warpgroup)
{
    private S32 Thread => K.ThreadIdX & 127;

    /// <param name="write">By all threads, once the stores of the turn before have read shared memory.</param>
    /// <param name="store">By one thread.</param>
    /// <param name="whole">Null for always; else, where it does not hold, <paramref name="copy"/> takes the place of <paramref name="store"/>.</param>
    /// <param name="copy">By all threads, which read shared memory themselves.</param>
    public void Take(Action write, Action store, Pred? whole = null, Action? copy = null)
    {
        AwaitRead();
        Sync();
        write();
        K.FenceAsyncProxy();
        Sync();
        if (whole is null) Store();
        else K.If(whole, Store, copy, uniform: true);

        void Store() => K.If(Thread == 0, () =>
        {
            store();
            K.TensorStoreCommit();
        });
    }

    /// <summary>Until shared memory may be written again, or given up.</summary>
    public void AwaitRead() => K.If(Thread == 0, () => K.TensorStoreWaitRead(0));

    private void Sync() => K.Barrier(Warpgroup + 1, 128);
}
