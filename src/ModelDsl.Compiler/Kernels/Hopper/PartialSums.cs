using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// Sums of a tile that several blocks have parts of. Each block but the first of a tile leaves its part in scratch memory, in a place of its own, and sets a flag; the
/// first one waits for the others in turn, adds their parts in order, and clears the flags for the next launch. So results do not depend on who comes
/// first.
/// </summary>
/// <param name="Flags">S32[blocks, warpgroups], zero before and after each launch.</param>
/// <param name="Parts">F32[blocks, warpgroups, sums of a thread, 128].</param>
internal sealed record PartialSums(KernelBuilder K, GlobalPtr<S32> Flags, GlobalPtr<F32> Parts, int Registers, S32 Warpgroup, int Warpgroups)
{
    private const int WarpgroupThreads = 128, Vector = 4;

    private S32 Thread => K.ThreadIdX & (WarpgroupThreads - 1);

    /// <summary>Leaves this block's part.</summary>
    public void Give(Func<int, F32> sum)
    {
        var part = PartOf(K.BlockIdX);
        for (var e = 0; e < Registers; e += Vector) part.StoreVector([.. Enumerable.Range(e, Vector).Select(sum)], e * WarpgroupThreads);
        K.FenceDevice();
        Sync();
        K.If(Thread == 0, () => FlagOf(K.BlockIdX).ReduceAdd(1));
    }

    /// <summary>Waits for another block's part and adds it.</summary>
    public void Take(S32 block, Action<int, F32> add)
    {
        K.If(Thread == 0, () =>
        {
            var flag = FlagOf(block);
            K.DoWhile(() => flag.AtomicCompareSwap(1, 0) == 0);
            K.FenceDevice();
        });
        Sync();
        var part = PartOf(block);
        for (var e = 0; e < Registers; e += Vector)
        {
            var values = part.LoadVector(Vector, e * WarpgroupThreads, LoadHint.L2);
            for (var i = 0; i < Vector; i++) add(e + i, values[i]);
        }
    }

    private S32 Slot(S32 block) => block * Warpgroups + Warpgroup;

    private GlobalPtr<S32> FlagOf(S32 block) => Flags + Slot(block);

    private GlobalPtr<F32> PartOf(S32 block) => Parts.Row(Slot(block), Registers * WarpgroupThreads) + Thread * Vector;

    private void Sync() => K.Barrier(Warpgroup + 1, WarpgroupThreads);
}
