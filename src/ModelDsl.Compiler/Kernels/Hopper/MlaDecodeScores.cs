using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>The warpgroup of <see cref="MlaDecode"/> that makes probabilities: 64 rows by the 64 tokens of a page.</summary>
internal static class MlaDecodeScores
{
    public static void Write(MlaDecodeBlock block)
    {
        var k = block.K;
        var kernel = block.Kernel;
        var (query, page, give) = (block.Queries.Start(), block.Keys.Start(), block.Probabilities.Start());
        var scores = k.Vars<F32>(MlaDecode.Page / 2, 0f);
        var (a, b) = (Descriptor(k, block.Query(0)), Descriptor(k, block.Key(0, 0)));
        var (g, t) = (k.LaneId >> 2, k.LaneId & 3);
        var row = (k.WarpId & 3) * 16 + g;

        block.ForEach(block.Range(), piece =>
        {
            var softmax = new RowSoftmax(k, (float)(kernel.Scale * RowSoftmax.Log2E));
            query.AwaitFull();
            var held = Enumerable.Range(0, kernel.HeldParts).Select(part => SwizzledRows.Read(k, block.Query(0), (k.WarpId & 3) * 16, MlaDecodeBlock.ColumnBytes, part * 16)).ToArray();
            k.For(piece.From, piece.To, number =>
            {
                page.AwaitFull();
                Multiply(k, scores, held, a, b.At(page.Stage, MlaDecode.TileBytes));
                k.If((number + 1) * MlaDecode.Page > piece.Length - (kernel.Queries - 1), () =>
                {
                    var tokens = piece.Length - number * MlaDecode.Page;
                    Mask(block, scores, tokens, row);
                    if (!kernel.Fp8Cache) ClearBehindEnd(block, page.Stage, tokens);
                }, uniform: true);
                var keep = softmax.Update(scores, mayBeEmpty: true);

                k.Comment("Hand over, when the page before is done with.");
                give.AwaitEmpty();
                for (var half = 0; half < 2; half++) block.Keep.StoreIf(t == 0, keep[half], row + 8 * half);
                SwizzledRows.Write(k, block.P, (k.WarpId & 3) * 16, 0, MlaDecode.Page, e => scores[e]);
                Give();
                page.Advance();
            }, nounroll: true);
            query.Release(k.LaneId == 0);
            query.Advance();

            give.AwaitEmpty();
            for (var half = 0; half < 2; half++)
            {
                var sum = softmax.Sum(half);
                block.Sums.StoreIf(t == 0, sum, row + 8 * half);
                WriteLse(block, piece, row + 8 * half, t == 0, softmax.Largest(half), sum);
            }
            Give();
        });

        void Give()
        {
            k.FenceAsyncProxy();
            k.SyncWarp();
            k.Guarded(k.LaneId == 0, give.Full.Arrive);
            give.Advance();
        }
    }

    private static TileDescriptor Descriptor(KernelBuilder k, Ptx.Memory.SharedPtr<U8> tile) => k.TileDescriptor(tile, TileSwizzle.Bytes128, 8 * MlaDecodeBlock.RowBytes);

    /// <summary>S = Q · Kᵀ over 576 columns, 36 products, the first with what is held of Q in registers.</summary>
    private static void Multiply(KernelBuilder k, Var<F32>[] scores, B32[][] held, TileDescriptor q, TileDescriptor page)
    {
        const int Next = 32, Products = MlaDecodeBlock.RowBytes / Next;
        k.WgmmaFence();
        for (var tile = 0; tile < MlaDecodeBlock.Tiles; tile++)
            for (var part = 0; part < Products; part++)
            {
                var (number, at) = (tile * Products + part, tile * MlaDecodeBlock.ColumnBytes + part * Next);
                var shape = WgmmaShape.BF16(MlaDecode.Page);
                if (number < held.Length) k.Wgmma(shape, scores, held[number], page + at, accumulates: number > 0);
                else k.Wgmma(shape, scores, q + at, page + at, accumulates: number > 0);
            }
        k.WgmmaCommit();
        k.WgmmaWait(0);
    }

    /// <summary>Minus infinity for tokens behind what a row sees.</summary>
    /// <param name="tokens">Of the request, from the page's first on.</param>
    /// <param name="row">First of the thread's rows in the tile.</param>
    private static void Mask(MlaDecodeBlock block, Var<F32>[] scores, S32 tokens, S32 row)
    {
        var (k, kernel) = (block.K, block.Kernel);
        // Element 4j + 2h + i is token 8j + 2t + i. The last query sees all tokens, the one before it one less.
        var first = tokens - (k.LaneId & 3) * 2;
        var seen = Enumerable.Range(0, 2).Select(half => kernel.Queries == 1 ? first : first - (kernel.Queries - 1) + (block.FirstRow + row + 8 * half) / kernel.Heads).ToArray();
        for (var e = 0; e < scores.Length; e++) scores[e].Value = k.Select(seen[e / 2 % 2] > e / 4 * 8 + e % 2, scores[e].Value, float.NegativeInfinity);
    }

    /// <summary>Rows of V without a token become zeros, as zero times what is there would be no number if that is none.</summary>
    private static void ClearBehindEnd(MlaDecodeBlock block, S32 stage, S32 tokens)
    {
        var k = block.K;
        // Until all warps' products have read K. Then 16 threads for each column of 128 bytes, 8 for a row of it.
        k.Barrier(1, 128);
        var thread = k.ThreadIdX & 127;
        var column = block.Key(stage, 0).AddBytes((thread >> 4) * MlaDecodeBlock.ColumnBytes + (thread & 7) * 16);
        k.For(k.Max(tokens, 0) + (thread >> 3 & 1), MlaDecode.Page, 2, token => column.AddBytes(token * MlaDecodeBlock.RowBytes).As<U32>().StoreVector([0u, 0u, 0u, 0u]), nounroll: true);
    }

    /// <summary>The natural logarithm of the sum of exponentials: of a whole request plus infinity where there are none, of a piece minus infinity.</summary>
    private static void WriteLse(MlaDecodeBlock block, DecodePiece piece, S32 row, Pred writes, F32 largest, F32 sum)
    {
        var (k, kernel) = (block.K, block.Kernel);
        var inRequest = block.FirstRow + row;
        var lse = k.Fma(k.Log2(sum), 1 / RowSoftmax.Log2E, largest * (float)kernel.Scale);
        k.If(writes & inRequest < kernel.Rows, () => k.If(piece.Slot < 0,
            () => block.Lse.Row(piece.Request, kernel.Rows).Store(k.Select(sum > 0f, lse, float.PositiveInfinity), inRequest),
            () => block.PartialLse.Row(piece.Slot, kernel.Rows).Store(k.Select(sum > 0f, lse, float.NegativeInfinity), inRequest)));
    }
}
