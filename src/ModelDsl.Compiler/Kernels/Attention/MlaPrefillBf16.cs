using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Attention;

/// <summary>
/// The BF16 form of <see cref="MlaPrefillKernel"/>. A block takes 64 queries of one head, a warp 16 of them; keys and values come in
/// tiles of 64. Both products are <c>mma.m16n8k16</c> with FP32 sums: S = Q·Kᵀ stays in registers, is turned into probabilities there,
/// and is, as it lies, the A operand of O += P·V. Values arrive while S is computed.
/// Per block: 64·(nope+rope) queries, S·(nope+rope+v) keys and values read once; 2·64·S·(nope+rope+v) FLOPs, half of it for causal squares.
/// </summary>
internal sealed class MlaPrefillBf16(MlaPrefillKernel shape, KernelBuilder k)
{
    public const int QueryRows = 64;
    public const int Threads = 128;

    private const int KeyRows = 64;
    private const float Log2E = 1.44269504f;

    private readonly int _depth = Pad(shape.NopeDim + shape.RopeDim);
    private readonly int _values = Pad(shape.VDim);
    private readonly int _qkStride = QkStride(shape);
    private readonly int _vStride = VStride(shape);

    /// <summary>Queries, keys and values of a tile. Rows are 16 bytes longer than they need to be, so that <c>ldmatrix</c> hits all banks.</summary>
    public static int SharedBytes(MlaPrefillKernel shape) => 2 * ((QueryRows + KeyRows) * QkStride(shape) + KeyRows * VStride(shape));

    public void Emit()
    {
        // One block per multiprocessor is enough: without saying so, the assembler spills rather than lose a second one.
        k.RequireThreads(Threads, minBlocksPerMultiprocessor: 1);
        var heads = shape.Heads;
        var (qk, perKey) = (shape.NopeDim + shape.RopeDim, shape.NopeDim + shape.VDim);
        var q = k.GlobalPtrParam<BF16>("q");
        var kv = k.GlobalPtrParam<BF16>("kv");
        var kRope = k.GlobalPtrParam<BF16>("k_rope");
        var output = k.GlobalPtrParam<BF16>("out");
        var (tokens, context) = (k.S32Param("tokens"), k.S32Param("context"));
        var sharedQ = k.DynamicShared<BF16>(QueryRows * _qkStride);
        var sharedK = k.DynamicShared<BF16>(KeyRows * _qkStride);
        var sharedV = k.DynamicShared<BF16>(KeyRows * _vStride);
        var (head, firstQuery) = (k.BlockIdY, k.BlockIdX * QueryRows);

        k.Comment("queries of this block; padding columns are zero for good");
        var loadQ = new TileLoader(k, Threads, qk, VectorWidth.Of(DType.BF16, qk));
        loadQ.ZeroColumns(sharedQ, _qkStride, QueryRows, qk, _depth);
        loadQ.ZeroColumns(sharedK, _qkStride, KeyRows, qk, _depth);
        loadQ.ZeroColumns(sharedV, _vStride, KeyRows, shape.VDim, _values);
        loadQ.Load(sharedQ, _qkStride, QueryRows, row => (q.Row(firstQuery + row, heads * qk) + head * qk, firstQuery + row < tokens));
        var nopePart = new TileLoader(k, Threads, shape.NopeDim, VectorWidth.Of(DType.BF16, shape.NopeDim, perKey));
        var ropePart = new TileLoader(k, Threads, shape.RopeDim, VectorWidth.Of(DType.BF16, shape.RopeDim, shape.NopeDim));
        var valuePart = new TileLoader(k, Threads, shape.VDim, VectorWidth.Of(DType.BF16, shape.VDim, shape.NopeDim));

        var softmax = new OnlineSoftmax(k, (float)shape.Scale * Log2E);
        var sums = Enumerable.Range(0, _values / 8).Select(_ => k.Vars<F32>(4, 0f)).ToArray();
        var firstPosition = context - tokens + firstQuery + k.WarpId * 16 + (k.LaneId >> 2);
        var keysNeeded = context - tokens + k.Min(tokens, firstQuery + QueryRows);
        k.For(0, keysNeeded, KeyRows, start =>
        {
            k.Comment("keys, then values, on their way");
            k.SyncThreads();
            nopePart.Load(sharedK, _qkStride, KeyRows, row => (kv.Row(start + row, heads * perKey) + head * perKey, start + row < context));
            ropePart.Load(sharedK + shape.NopeDim, _qkStride, KeyRows, row => (kRope.Row(start + row, shape.RopeDim), start + row < context));
            k.CopyAsyncCommit();
            valuePart.Load(sharedV, _vStride, KeyRows,
                row => (kv.Row(start + row, heads * perKey) + (head * perKey + shape.NopeDim), start + row < context));
            k.CopyAsyncCommit();
            k.CopyAsyncWait(1);
            k.SyncThreads();
            var scores = Scores(sharedQ, sharedK);
            Mask(scores, start, firstPosition);
            softmax.Update(scores, sums);
            k.CopyAsyncWait(0);
            k.SyncThreads();
            AddValues(scores, sharedV, sums);
        });
        Store(output, softmax, sums, head, firstQuery, tokens);
    }

    /// <summary>16 x 64 products per warp: tile n holds keys 8n to 8n+7.</summary>
    private Var<F32>[][] Scores(SharedPtr<BF16> sharedQ, SharedPtr<BF16> sharedK)
    {
        k.Comment("S = Q K^T");
        var scores = Enumerable.Range(0, KeyRows / 8).Select(_ => k.Vars<F32>(4, 0f)).ToArray();
        var lane = k.LaneId;
        var rowOfA = sharedQ.Row(k.WarpId * 16 + lane % 16, _qkStride) + (lane >> 4) * 8;
        var rowOfB = sharedK.Row(lane % 8 + (lane >> 4) * 8, _qkStride) + (lane / 8 % 2) * 8;
        for (var depth = 0; depth < _depth; depth += 16)
        {
            var a = k.LoadMatrix(rowOfA + depth, 4);
            for (var n = 0; n < scores.Length; n += 2)
            {
                var b = k.LoadMatrix(rowOfB + (n * 8 * _qkStride + depth), 4);
                k.Mma(MmaShape.BF16, scores[n], a, [b[0], b[1]]);
                k.Mma(MmaShape.BF16, scores[n + 1], a, [b[2], b[3]]);
            }
        }

        return scores;
    }

    /// <summary>Only tiles on the diagonal hold keys after their queries.</summary>
    private void Mask(Var<F32>[][] scores, S32 start, S32 firstPosition)
    {
        k.Comment("keys after the query do not count");
        var firstOfWarp = k.Shuffle(firstPosition, 0);
        k.If(start + (KeyRows - 1) > firstOfWarp, () =>
        {
            for (var n = 0; n < scores.Length; n++)
                for (var e = 0; e < 4; e++)
                {
                    var key = start + (k.LaneId % 4) * 2 + (n * 8 + e % 2);
                    scores[n][e].SetIf(key > firstPosition + e / 2 * 8, float.NegativeInfinity);
                }
        });
    }

    private void AddValues(Var<F32>[][] probabilities, SharedPtr<BF16> sharedV, Var<F32>[][] sums)
    {
        k.Comment("O += P V");
        var lane = k.LaneId;
        var rowOfB = sharedV.Row(lane % 16, _vStride) + (lane >> 4) * 8;
        for (var key = 0; key < KeyRows; key += 16)
        {
            var (left, right) = (probabilities[key / 8], probabilities[key / 8 + 1]);
            B32[] a =
            [
                Pair(left[0], left[1]), Pair(left[2], left[3]), Pair(right[0], right[1]), Pair(right[2], right[3]),
            ];
            for (var n = 0; n < sums.Length; n += 2)
            {
                var b = k.LoadMatrix(rowOfB + (key * _vStride + n * 8), 4, transposed: true);
                k.Mma(MmaShape.BF16, sums[n], a, [b[0], b[1]]);
                k.Mma(MmaShape.BF16, sums[n + 1], a, [b[2], b[3]]);
            }
        }
    }

    private void Store(GlobalPtr<BF16> output, OnlineSoftmax softmax, Var<F32>[][] sums, S32 head, S32 firstQuery, S32 tokens)
    {
        k.Comment("O / sum of P");
        var column = (k.LaneId % 4) * 2;
        for (var half = 0; half < 2; half++)
        {
            var row = firstQuery + k.WarpId * 16 + (k.LaneId >> 2) + half * 8;
            var inverse = 1f / softmax.Denominator(half);
            var to = output.Row(row, shape.Heads * shape.VDim) + head * shape.VDim + column;
            for (var n = 0; n < sums.Length; n++)
            {
                if (n * 8 >= shape.VDim) continue;
                var (first, second) = (sums[n][half * 2].Value * inverse, sums[n][half * 2 + 1].Value * inverse);
                var inside = n * 8 + 8 <= shape.VDim ? row < tokens : (row < tokens) & (column + n * 8 < shape.VDim);
                if (shape.VDim % 2 == 0)
                {
                    (to + n * 8).As<BF16x2>().StoreIf(inside, k.ToBF16x2(first, second));
                    continue;
                }

                (to + n * 8).StoreIf(inside, k.ToBF16(first));
                (to + (n * 8 + 1)).StoreIf((row < tokens) & (column + (n * 8 + 1) < shape.VDim), k.ToBF16(second));
            }
        }
    }

    private B32 Pair(F32 first, F32 second) => k.ToBF16x2(first, second).As<B32>();

    private static int Pad(int width) => (width + 15) / 16 * 16;

    private static int QkStride(MlaPrefillKernel shape) => Pad(shape.NopeDim + shape.RopeDim) + 8;

    private static int VStride(MlaPrefillKernel shape) => Pad(shape.VDim) + 8;
}
