using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

// What came with Hopper: tensor maps, registers that change hands, one elected lane, launches that overlap.
public sealed partial class KernelBuilder
{
    private const int TensorMapBytes = 128;

    /// <summary>The next parameter: a tensor map by value.</summary>
    public TensorMapParameter TensorMapParam(string name)
    {
        Require(Feature.BulkCopy, "a tensor map");
        Declare(name, ScalarType.B8, TensorMapBytes);
        var offset = Prologue("mov.b64", RegisterClass.B64, new SymbolOperand(name));
        return new TensorMapParameter(this, Prologue("cvta.param.u64", RegisterClass.B64, offset));
    }

    /// <summary>True in one lane of the warp, which is the same one each time.</summary>
    public Pred Elect()
    {
        Require(Feature.BulkCopy, "elect.sync");
        var register = NewRegister(RegisterClass.Pred);
        EmitVoid("elect.sync", [new PairOperand(new SymbolOperand("_"), register)], [((B32)AllLanes).Operand], Effect.Reads);
        return new Pred(this, register);
    }

    /// <summary>Takes registers for the warps of this warpgroup, waiting until there are so many, or gives up all beyond.</summary>
    /// <param name="count">24 to 256, a multiple of 8.</param>
    /// <param name="increases">Whether it is more than before.</param>
    public void SetMaxRegisters(int count, bool increases)
    {
        Require(Feature.Wgmma, "setmaxnreg");
        if (count is < 24 or > 256 || count % 8 != 0) throw new PtxException($"a thread has 24 to 256 registers, a multiple of 8, not {count}");
        EmitVoid($"setmaxnreg.{(increases ? "inc" : "dec")}.sync.aligned.u32", [], [((S32)count).Operand]);
    }

    /// <summary>Makes <see cref="Mbarrier.Initialise"/> seen by copies and by other blocks of the cluster.</summary>
    public void FenceBarrierInit() => EmitVoid("fence.mbarrier_init.release.cluster", [], []);

    /// <summary>Orders this thread's plain accesses to shared memory before what tensor copies and <c>wgmma</c> read there.</summary>
    public void FenceAsyncProxy() => EmitVoid("fence.proxy.async.shared::cta", [], []);

    /// <summary>Asks for the 128 bytes around an address to be brought to L2, without waiting for them.</summary>
    public void PrefetchL2(GlobalPtr<U8> at, Pred inside) => EmitVoid("prefetch.global.L2", [], [at.Address(null)], predicate: inside);

    /// <summary>Copies neighbouring bytes from global to shared memory, by one thread; they are taken off what the barrier expects.</summary>
    /// <param name="bytes">A multiple of 16, as both addresses.</param>
    public void BulkCopy<T>(SharedPtr<T> to, GlobalPtr<T> from, S32 bytes, Mbarrier barrier) where T : Value => EmitVoid(
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes", [], [to.Address(null), from.Address(null), bytes.Operand, barrier.Address]);

    /// <summary>Ends a group of tensor stores of this thread.</summary>
    public void TensorStoreCommit() => EmitVoid("cp.async.bulk.commit_group", [], []);

    /// <summary>Waits until at most so many groups of tensor stores of this thread still have to read shared memory.</summary>
    public void TensorStoreWaitRead(int pendingGroups) => EmitVoid("cp.async.bulk.wait_group.read", [], [((S32)pendingGroups).Operand]);

    /// <summary>Waits until at most so many groups of tensor stores of this thread have still to arrive in global memory.</summary>
    public void TensorStoreWait(int pendingGroups) => EmitVoid("cp.async.bulk.wait_group", [], [((S32)pendingGroups).Operand]);

    /// <summary>
    /// Lets the next kernel of the stream start, if it was launched so, once all blocks have come here or ended. It sees nothing of this one's
    /// memory before its own <see cref="AwaitEarlierKernels"/>.
    /// </summary>
    public void LetNextKernelStart()
    {
        Require(Feature.Cluster, "griddepcontrol");
        EmitVoid("griddepcontrol.launch_dependents", [], []);
    }

    /// <summary>Waits until the kernels before this one in the stream have ended and their memory is seen; at once where they have.</summary>
    public void AwaitEarlierKernels()
    {
        Require(Feature.Cluster, "griddepcontrol");
        EmitVoid("griddepcontrol.wait", [], []);
    }

    /// <summary>
    /// Stores 1, 2 or 4 matrices of 8 rows of 16 bytes. Lane i gives the address of row i%8 of matrix i/8; lane 4·g + t has bytes 4t to 4t+3 of
    /// row g of each (transposed: the pair of 16-bit elements of column g in rows 2t and 2t+1).
    /// </summary>
    public void StoreMatrix<T>(SharedPtr<T> row, IReadOnlyList<B32> values, bool transposed = false) where T : Value
    {
        Require(Feature.Cluster, "stmatrix");
        if (values.Count is not (1 or 2 or 4)) throw new PtxException($"stmatrix stores 1, 2 or 4 matrices, not {values.Count}");
        EmitVoid($"stmatrix.sync.aligned.m8n8.x{values.Count}{(transposed ? ".trans" : "")}.shared.b16", [], [row.Address(null), new VectorOperand([.. values.Select(InRegister)])]);
    }
}
