using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Attention;

/// <summary>
/// The BF16 form of <see cref="MlaDecodeKernel"/>. A block takes 16 heads of one sequence and one split, because all heads share the
/// cached rows: tiles of 64 rows come to shared memory once and serve twice, as keys (all columns) and as values (the first rank columns).
/// For S = Q·Cᵀ each of four warps takes 16 rows of the tile, for O += P·C a quarter of the columns; maxima and P meet in shared memory.
/// Per block: split·(rank+rope) cached values read once; 2·16·split·(2·rank+rope) FLOPs.
/// </summary>
internal sealed class MlaDecodeBf16(MlaDecodeKernel shape, KernelBuilder k)
{
    public const int Threads = 128;

    private const int Warps = 4;
    private const int HeadRows = 16;
    private const int CacheRows = 64;
    private const int ProbabilityStride = CacheRows + 8;
    private const float Log2E = 1.44269504f;

    private readonly int _depth = Pad(shape.RowWidth);
    private readonly int _stride = Pad(shape.RowWidth) + 8;

    /// <summary>Columns of the sum per warp: whole pairs of <c>mma</c> tiles.</summary>
    private readonly int _columns = (Pad(shape.KvRank) / 16 + Warps - 1) / Warps * 16;

    public static int SharedBytes(MlaDecodeKernel shape) =>
        2 * ((HeadRows + CacheRows) * (Pad(shape.RowWidth) + 8) + HeadRows * ProbabilityStride) + 2 * Warps * HeadRows * 4;

    public void Emit()
    {
        // One block per multiprocessor is enough: without saying so, the assembler spills rather than lose a second one.
        k.RequireThreads(Threads, minBlocksPerMultiprocessor: 1);
        var qLatent = k.GlobalPtrParam<BF16>("q_latent");
        var q = k.GlobalPtrParam<BF16>("q");
        var cache = k.GlobalPtrParam<BF16>("cache");
        var pages = k.GlobalPtrParam<S32>("pages");
        var lengths = k.GlobalPtrParam<S32>("lengths");
        var partial = k.GlobalPtrParam<F32>("partial");
        var lse = k.GlobalPtrParam<F32>("lse");
        var (maxPages, splits) = (k.S32Param("max_pages"), k.S32Param("splits"));
        _ = k.S32Param("tokens");
        var sharedQ = k.DynamicShared<BF16>(HeadRows * _stride);
        var sharedC = k.DynamicShared<BF16>(CacheRows * _stride);
        var sharedP = k.DynamicShared<BF16>(HeadRows * ProbabilityStride);
        var maxima = k.DynamicShared<F32>(Warps * HeadRows);
        var totals = k.DynamicShared<F32>(Warps * HeadRows);
        var (split, firstHead, sequence) = (k.BlockIdX, k.BlockIdY * HeadRows, k.BlockIdZ);
        var begin = split * shape.SplitTokens;
        var end = k.Min(lengths[sequence], begin + shape.SplitTokens);
        var place = (sequence * splits + split) * shape.Heads + firstHead;

        k.Comment("a split beyond the sequence has no weight");
        k.If(begin >= end, () =>
        {
            lse.StoreIf((k.ThreadIdX < HeadRows) & (firstHead + k.ThreadIdX < shape.Heads), float.NegativeInfinity, place + k.ThreadIdX);
            k.Return();
        });

        k.Comment("queries: the absorbed part, then the rotated part; heads that are not there are zero");
        var qk = shape.NopeDim + shape.RopeDim;
        var latentPart = new TileLoader(k, Threads, shape.KvRank, VectorWidth.Of(DType.BF16, shape.KvRank));
        var ropePart = new TileLoader(k, Threads, shape.RopeDim, VectorWidth.Of(DType.BF16, shape.RopeDim, qk, shape.NopeDim, shape.KvRank));
        latentPart.ZeroColumns(sharedQ, _stride, HeadRows, shape.RowWidth, _depth);
        latentPart.ZeroColumns(sharedC, _stride, CacheRows, shape.RowWidth, _depth);
        latentPart.Load(sharedQ, _stride, HeadRows,
            row => (qLatent.Row(sequence * shape.Heads + firstHead + row, shape.KvRank), firstHead + row < shape.Heads));
        ropePart.Load(sharedQ + shape.KvRank, _stride, HeadRows,
            row => (q.Row(sequence * shape.Heads + firstHead + row, qk) + shape.NopeDim, firstHead + row < shape.Heads));

        var softmax = new OnlineSoftmax(k, (float)shape.Scale * Log2E);
        var sums = Enumerable.Range(0, _columns / 8).Select(_ => k.Vars<F32>(4, 0f)).ToArray();
        var cacheRows = new TileLoader(k, Threads, shape.RowWidth, VectorWidth.Of(DType.BF16, shape.RowWidth));
        var pageTable = pages.Row(sequence, maxPages);
        k.For(begin, end, CacheRows, start =>
        {
            k.Comment("the next cached rows");
            k.SyncThreads();
            cacheRows.Load(sharedC, _stride, CacheRows, row =>
            {
                var position = start + row;
                var exists = position < end;
                var page = pageTable.LoadOr(exists, 0, position / shape.Page);
                return (cache.Row(page * shape.Page + position % shape.Page, shape.RowWidth), exists);
            });
            k.CopyAsyncCommit();
            k.CopyAsyncWait(0);
            k.SyncThreads();
            var scores = Scores(sharedQ, sharedC, start, end);
            softmax.Update(scores, sums, (largest, half) => AcrossWarps(maxima, largest, half));
            Share(scores, sharedP);
            k.SyncThreads();
            AddValues(sharedP, sharedC, sums);
        });
        Store(partial, lse, totals, softmax, sums, place, firstHead);
    }

    /// <summary>16 heads x 16 rows of the tile, this warp's.</summary>
    private Var<F32>[][] Scores(SharedPtr<BF16> sharedQ, SharedPtr<BF16> sharedC, S32 start, S32 end)
    {
        k.Comment("S = Q C^T");
        var scores = new[] { k.Vars<F32>(4, 0f), k.Vars<F32>(4, 0f) };
        var lane = k.LaneId;
        var rowOfA = sharedQ.Row(lane % 16, _stride) + (lane >> 4) * 8;
        var rowOfB = sharedC.Row(k.WarpId * 16 + lane % 8 + (lane >> 4) * 8, _stride) + (lane / 8 % 2) * 8;
        for (var depth = 0; depth < _depth; depth += 16)
        {
            var a = k.LoadMatrix(rowOfA + depth, 4);
            var b = k.LoadMatrix(rowOfB + depth, 4);
            k.Mma(MmaShape.BF16, scores[0], a, [b[0], b[1]]);
            k.Mma(MmaShape.BF16, scores[1], a, [b[2], b[3]]);
        }

        for (var n = 0; n < 2; n++)
            for (var e = 0; e < 4; e++)
                scores[n][e].SetIf(start + k.WarpId * 16 + (lane % 4) * 2 + (n * 8 + e % 2) >= end, float.NegativeInfinity);
        return scores;
    }

    /// <summary>The largest score of a head over the whole tile.</summary>
    private F32 AcrossWarps(SharedPtr<F32> maxima, F32 largest, int half)
    {
        var row = (k.LaneId >> 2) + half * 8;
        maxima.StoreIf(k.LaneId % 4 == 0, largest, k.WarpId * HeadRows + row);
        k.SyncThreads();
        F32 all = (maxima + row).Load();
        for (var warp = 1; warp < Warps; warp++) all = k.Max(all, (maxima + row).Load(warp * HeadRows));
        return all;
    }

    private void Share(Var<F32>[][] probabilities, SharedPtr<BF16> sharedP)
    {
        var to = sharedP.Row(k.LaneId >> 2, ProbabilityStride) + (k.WarpId * 16 + (k.LaneId % 4) * 2);
        for (var n = 0; n < 2; n++)
            for (var half = 0; half < 2; half++)
                (to + (half * 8 * ProbabilityStride + n * 8)).As<BF16x2>()
                    .Store(k.ToBF16x2(probabilities[n][half * 2], probabilities[n][half * 2 + 1]));
    }

    private void AddValues(SharedPtr<BF16> sharedP, SharedPtr<BF16> sharedC, Var<F32>[][] sums)
    {
        k.Comment("O += P C, this warp's columns");
        var lane = k.LaneId;
        var firstColumn = k.WarpId * _columns;
        var rowOfA = sharedP.Row(lane % 16, ProbabilityStride) + (lane >> 4) * 8;
        var rowOfB = sharedC.Row(lane % 16, _stride) + (firstColumn + (lane >> 4) * 8);
        for (var key = 0; key < CacheRows; key += 16)
        {
            var a = k.LoadMatrix(rowOfA + key, 4);
            for (var n = 0; n < sums.Length; n += 2)
                k.If(firstColumn + n * 8 < shape.KvRank, () =>
                {
                    var b = k.LoadMatrix(rowOfB + (key * _stride + n * 8), 4, transposed: true);
                    k.Mma(MmaShape.BF16, sums[n], a, [b[0], b[1]]);
                    k.Mma(MmaShape.BF16, sums[n + 1], a, [b[2], b[3]]);
                });
        }
    }

    private void Store(
        GlobalPtr<F32> partial, GlobalPtr<F32> lse, SharedPtr<F32> totals, OnlineSoftmax softmax, Var<F32>[][] sums, S32 place, S32 firstHead)
    {
        k.Comment("sums of P over all warps, then O and its weight");
        for (var half = 0; half < 2; half++)
            totals.StoreIf(k.LaneId % 4 == 0, softmax.Denominator(half), k.WarpId * HeadRows + ((k.LaneId >> 2) + half * 8));
        k.SyncThreads();
        for (var half = 0; half < 2; half++)
        {
            var row = (k.LaneId >> 2) + half * 8;
            F32 total = (totals + row).Load();
            for (var warp = 1; warp < Warps; warp++) total = total + (totals + row).Load(warp * HeadRows);
            var exists = firstHead + row < shape.Heads;
            lse.StoreIf(exists & (k.ThreadIdX % 4 == 0) & (k.WarpId == 0), softmax.ScaledMaximum(half) + k.Log2(total), place + row);
            var inverse = 1f / total;
            var column = k.WarpId * _columns + (k.LaneId % 4) * 2;
            var to = partial.Row(place + row, shape.KvRank) + column;
            for (var n = 0; n < sums.Length; n++)
                for (var e = 0; e < 2; e++)
                    (to + (n * 8 + e)).StoreIf(exists & (column + (n * 8 + e) < shape.KvRank), sums[n][half * 2 + e].Value * inverse);
        }
    }

    private static int Pad(int width) => (width + 15) / 16 * 16;
}
