using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

// What came with Hopper: tensor maps, warpgroups, one elected lane.
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

    /// <summary>Ends a group of tensor stores of this thread.</summary>
    public void TensorStoreCommit() => EmitVoid("cp.async.bulk.commit_group", [], []);

    /// <summary>Waits until at most so many groups of tensor stores of this thread still have to read shared memory.</summary>
    public void TensorStoreWaitRead(int pendingGroups) => EmitVoid("cp.async.bulk.wait_group.read", [], [((S32)pendingGroups).Operand]);

    /// <summary>Orders accesses to registers before the products that use them; needed before the first and when others have written accumulators.</summary>
    public void WgmmaFence() => EmitVoid("wgmma.fence.sync.aligned", [], []);

    /// <summary>Ends a group of products.</summary>
    public void WgmmaCommit() => EmitVoid("wgmma.commit_group.sync.aligned", [], []);

    /// <summary>Waits until at most so many groups are under way; the accumulators of the others may be read then.</summary>
    public void WgmmaWait(int pendingGroups) => EmitVoid("wgmma.wait_group.sync.aligned", [], [((S32)pendingGroups).Operand]);

    /// <summary>Starts a product of two tiles in shared memory.</summary>
    /// <param name="a">Descriptor of 64 rows; see <see cref="TileDescriptor"/>.</param>
    /// <param name="b">Descriptor of N rows.</param>
    /// <param name="accumulates">False: the accumulators are overwritten.</param>
    public void Wgmma(WgmmaShape shape, Var<F32>[] accumulators, TileDescriptor a, TileDescriptor b, bool accumulates)
    {
        Require(Feature.Wgmma, shape.Name);
        if (shape.N is < 8 or > 256 || shape.N % 8 != 0 || accumulators.Length != shape.Registers)
            throw new PtxException($"{shape.Name} has {shape.Registers} accumulators, not {accumulators.Length}; N is 8 to 256, a multiple of 8");
        Operand one = new ImmediateOperand(1, ScalarType.S32), zero = new ImmediateOperand(0, ScalarType.S32);
        Operand[] sources = [a.Bits, b.Bits, Known(accumulates), one, one];
        if (shape.IsTransposable) sources = [.. sources, zero, zero];
        EmitVoid(shape.Name, [new VectorOperand([.. accumulators.Select(v => (Operand)v.Register)])], sources);
    }

    /// <summary>
    /// The matrix descriptor of a tile whose rows of a swizzle's width (16 bytes without) lie one behind the other.
    /// </summary>
    /// <param name="strideBytes">From eight rows to the next eight.</param>
    /// <param name="leadingBytes">Without swizzle: from 16 bytes along K to the next 16.</param>
    public TileDescriptor TileDescriptor<T>(SharedPtr<T> tile, TileSwizzle swizzle, int strideBytes, int leadingBytes = 16) where T : Value
    {
        var kind = swizzle switch { TileSwizzle.Bytes128 => 1u, TileSwizzle.Bytes64 => 2u, TileSwizzle.Bytes32 => 3u, _ => 0u };
        // With swizzle the hardware does not look at it.
        var leading = swizzle == TileSwizzle.None ? leadingBytes >> 4 << 16 : 0;
        // Shared addresses have 18 bits; the field has those from the fourth on.
        return new TileDescriptor(this, (tile.ToS32() >> 4) + leading, (uint)(strideBytes >> 4) | kind << 30);
    }

    /// <summary>
    /// Stores 1, 2 or 4 matrices of 8 rows of 16 bytes. Lane i gives the address of row i%8 of matrix i/8; lane 4·g + t has bytes 4t to 4t+3 of
    /// row g of each.
    /// </summary>
    public void StoreMatrix<T>(SharedPtr<T> row, IReadOnlyList<B32> values) where T : Value
    {
        Require(Feature.Cluster, "stmatrix");
        if (values.Count is not (1 or 2 or 4)) throw new PtxException($"stmatrix stores 1, 2 or 4 matrices, not {values.Count}");
        EmitVoid($"stmatrix.sync.aligned.m8n8.x{values.Count}.shared.b16", [], [row.Address(null), new VectorOperand([.. values.Select(InRegister)])]);
    }
}
