using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Attention;

/// <summary>
/// The FP32 form of <see cref="MlaPrefillKernel"/>, for audits. A warp takes one query of one head; 32 keys at a time, a lane has one
/// key for the products and a set of columns for the sum of values. The query lies in shared memory.
/// </summary>
internal sealed class MlaPrefillF32(MlaPrefillKernel shape, KernelBuilder k)
{
    public const int Warps = 4;

    private const float Log2E = 1.44269504f;

    public void Emit()
    {
        // One block per multiprocessor is enough: without saying so, the assembler spills rather than lose a second one.
        k.RequireThreads(Warps * 32, minBlocksPerMultiprocessor: 1);
        var heads = shape.Heads;
        var (nope, rope) = (shape.NopeDim, shape.RopeDim);
        var (qk, perKey) = (nope + rope, nope + shape.VDim);
        var q = k.GlobalPtrParam<F32>("q");
        var kv = k.GlobalPtrParam<F32>("kv");
        var kRope = k.GlobalPtrParam<F32>("k_rope");
        var output = k.GlobalPtrParam<F32>("out");
        var (tokens, context) = (k.S32Param("tokens"), k.S32Param("context"));
        // The two parts start on 16 bytes each, so that both can be read in vectors.
        var (nopeRoom, ropeRoom) = ((nope + 3) / 4 * 4, (rope + 3) / 4 * 4);
        var query = k.Shared<F32>("query", Warps * (nopeRoom + ropeRoom)).Row(k.WarpId, nopeRoom + ropeRoom);
        var (head, row) = (k.BlockIdY, k.BlockIdX * Warps + k.WarpId);
        k.ReturnIf(row >= tokens);

        k.Comment("the query, scaled so that exponentials are to base two");
        var from = q.Row(row, heads * qk) + head * qk;
        k.For(k.LaneId, qk, 32, i =>
            (query + k.Select(i < nope, i, i + (nopeRoom - nope))).Store(k.Rounded((from + i).Load() * ((float)shape.Scale * Log2E))));
        k.SyncWarp();

        var (largest, denominator) = (k.Var<F32>(float.NegativeInfinity), k.Var<F32>(0f));
        var sums = LaneVectors.Sums(k, shape.VDim);
        var keys = context - tokens + row + 1;
        k.For(0, keys, 32, start =>
        {
            var key = start + k.LaneId;
            var exists = key < keys;
            var keyRow = kv.Row(key, heads * perKey) + head * perKey;
            var score = LaneVectors.Dot(k, query, keyRow, nope, perKey, exists)
                + LaneVectors.Dot(k, query + nopeRoom, kRope.Row(key, rope), rope, rope, exists);
            score = k.Select(exists, score, float.NegativeInfinity);
            var newLargest = k.Max(largest, k.WarpReduceMax(score));
            var keep = k.Exp2(largest.Value - newLargest);
            var probability = k.Exp2(score - newLargest);
            largest.Set(newLargest);
            denominator.Set(k.Fma(denominator, keep, probability));
            foreach (var sum in sums) sum.Set(k.Rounded(sum.Value * keep));
            k.For(0, k.Min(32, keys - start), j =>
            {
                var values = kv.Row(start + j, heads * perKey) + head * perKey + nope;
                LaneVectors.AddScaled(k, sums, values, shape.VDim, k.Shuffle(probability, j));
            });
        });

        var total = k.WarpReduceSum(denominator);
        var to = output.Row(row, heads * shape.VDim) + head * shape.VDim;
        for (var i = 0; i < sums.Length; i++)
            (to + (k.LaneId + i * 32)).StoreIf(k.LaneId + i * 32 < shape.VDim, sums[i].Value / total);
    }
}
