using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Attention;

/// <summary>
/// The FP32 form of <see cref="MlaDecodeKernel"/>, for audits. A block takes one head of one sequence and one split; its four warps take
/// 32 cached rows each in turn and merge their sums at the end. The query lies in shared memory.
/// </summary>
internal sealed class MlaDecodeF32(MlaDecodeKernel shape, KernelBuilder k)
{
    public const int Threads = Warps * 32;

    private const int Warps = 4;
    private const float Log2E = 1.44269504f;

    /// <summary>The query, and per warp a sum, a maximum and a denominator.</summary>
    public static int SharedBytes(MlaDecodeKernel shape) => 4 * (Room(shape.RowWidth) + Warps * Room(shape.KvRank) + 2 * Warps);

    public void Emit()
    {
        // One block per multiprocessor is enough: without saying so, the assembler spills rather than lose a second one.
        k.RequireThreads(Threads, minBlocksPerMultiprocessor: 1);
        var (rank, width) = (shape.KvRank, shape.RowWidth);
        var qLatent = k.GlobalPtrParam<F32>("q_latent");
        var q = k.GlobalPtrParam<F32>("q");
        var cache = k.GlobalPtrParam<F32>("cache");
        var pages = k.GlobalPtrParam<S32>("pages");
        var lengths = k.GlobalPtrParam<S32>("lengths");
        var partial = k.GlobalPtrParam<F32>("partial");
        var lse = k.GlobalPtrParam<F32>("lse");
        var (maxPages, splits) = (k.S32Param("max_pages"), k.S32Param("splits"));
        _ = k.S32Param("tokens");
        var query = k.DynamicShared<F32>(Room(width));
        var warpSums = k.DynamicShared<F32>(Warps * Room(rank));
        var (warpLargest, warpTotal) = (k.DynamicShared<F32>(Warps), k.DynamicShared<F32>(Warps));
        var (split, head, sequence) = (k.BlockIdX, k.BlockIdY, k.BlockIdZ);
        var begin = split * shape.SplitTokens;
        var end = k.Min(lengths[sequence], begin + shape.SplitTokens);
        var place = (sequence * splits + split) * shape.Heads + head;
        k.If(begin >= end, () =>
        {
            lse.StoreIf(k.ThreadIdX == 0, float.NegativeInfinity, place);
            k.Return();
        });

        k.Comment("the query, scaled so that exponentials are to base two");
        var row = sequence * shape.Heads + head;
        var (latent, rotated) = (qLatent.Row(row, rank), q.Row(row, shape.NopeDim + shape.RopeDim) + shape.NopeDim);
        var factor = (float)shape.Scale * Log2E;
        k.For(k.ThreadIdX, rank, Threads, i => (query + i).Store(k.Rounded((latent + i).Load() * factor)));
        k.For(k.ThreadIdX, shape.RopeDim, Threads, i => (query + (i + rank)).Store(k.Rounded((rotated + i).Load() * factor)));
        k.SyncThreads();

        var (largest, denominator) = (k.Var<F32>(float.NegativeInfinity), k.Var<F32>(0f));
        var sums = LaneVectors.Sums(k, rank);
        var pageTable = pages.Row(sequence, maxPages);
        k.For(begin + k.WarpId * 32, end, Threads, start =>
        {
            var position = start + k.LaneId;
            var exists = position < end;
            var slot = pageTable.LoadOr(exists, 0, position / shape.Page) * shape.Page + position % shape.Page;
            var score = k.Select(exists, LaneVectors.Dot(k, query, cache.Row(slot, width), width, width, exists), float.NegativeInfinity);
            var newLargest = k.Max(largest, k.WarpReduceMax(score));
            var keep = k.Exp2(largest.Value - newLargest);
            var probability = k.Exp2(score - newLargest);
            largest.Set(newLargest);
            denominator.Set(k.Fma(denominator, keep, probability));
            foreach (var sum in sums) sum.Set(k.Rounded(sum.Value * keep));
            k.For(0, k.Min(32, end - start), j =>
                LaneVectors.AddScaled(k, sums, cache.Row(k.Shuffle(slot, j), width), rank, k.Shuffle(probability, j)));
        });

        k.Comment("merge the warps");
        var mine = warpSums.Row(k.WarpId, Room(rank));
        for (var i = 0; i < sums.Length; i++) mine.StoreIf(k.LaneId + i * 32 < rank, sums[i], k.LaneId + i * 32);
        var total = k.WarpReduceSum(denominator);
        warpLargest.StoreIf(k.LaneId == 0, largest, k.WarpId);
        warpTotal.StoreIf(k.LaneId == 0, total, k.WarpId);
        k.SyncThreads();
        Merge(partial.Row(place, rank), lse + place, warpSums, warpLargest, warpTotal);
    }

    /// <summary>A warp that saw no row has maximum minus infinity and weight zero; the first warp always saw one.</summary>
    private void Merge(GlobalPtr<F32> to, GlobalPtr<F32> lse, SharedPtr<F32> sums, SharedPtr<F32> largest, SharedPtr<F32> totals)
    {
        F32 all = largest.Load();
        for (var warp = 1; warp < Warps; warp++) all = k.Max(all, largest.Load(warp));
        var weights = Enumerable.Range(0, Warps).Select(warp => k.Exp2(largest.Load(warp) - all)).ToArray();
        F32 total = 0f;
        for (var warp = 0; warp < Warps; warp++) total = k.Fma(weights[warp], totals.Load(warp), total);
        lse.StoreIf(k.ThreadIdX == 0, all + k.Log2(total));
        k.For(k.ThreadIdX, shape.KvRank, Threads, column =>
        {
            F32 sum = 0f;
            for (var warp = 0; warp < Warps; warp++) sum = k.Fma(weights[warp], (sums + column).Load(warp * Room(shape.KvRank)), sum);
            (to + column).Store(sum / total);
        });
    }

    private static int Room(int elements) => (elements + 3) / 4 * 4;
}
