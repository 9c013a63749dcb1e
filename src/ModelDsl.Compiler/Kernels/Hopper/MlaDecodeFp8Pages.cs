using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// The warpgroup of <see cref="MlaDecode"/> that brings pages of an FP8 cache: it widens latents to BF16 (code times scale, rounded) on their way to shared memory, where they lie as a tensor map would have left them. Tokens
/// behind a request's end become zeros.
/// </summary>
/// <remarks>
/// A page is 42 KB that would take two trips to memory with what 128 threads have registers for; so each page is brought to L2 while the one before it is widened.
/// </remarks>
internal static class MlaDecodeFp8Pages
{
    public const int Threads = 128, VectorBytes = 16;

    private const int Line = 128;

    public static readonly Fp8CacheRow Row = new(MlaDecode.KvRank, MlaDecode.RopeDim);

    /// <summary>Q of each piece, and its pages one after the other as they become free.</summary>
    public static void Load(MlaDecodeBlock block, DecodeRange range)
    {
        var k = block.K;
        var (q, page) = (block.Queries.Start(), block.Keys.Start());
        var quarters = new MlaDecodeQuarters(k);
        var leads = k.Elect() & (k.ThreadIdX < 32);
        block.ForEach(range, piece =>
        {
            k.If(leads, () => block.LoadQuery(q, piece));
            q.Advance();
            var table = block.PagesOf(piece.Request);
            k.For(piece.From, piece.To, number =>
            {
                var tokens = piece.Length - number * MlaDecode.Page;
                var rows = block.CacheRows.Row(table.Load(number), MlaDecode.Page * Row.Bytes);
                k.If(number + 1 < piece.To, () => Prefetch(k, block.CacheRows.Row(table.Load(number + 1), MlaDecode.Page * Row.Bytes)), uniform: true);
                quarters.Load(rows, 0, tokens);
                page.AwaitEmpty();
                quarters.Widen(rows, tokens, block.Key(page.Stage, 0));
                CopyKeys(block, page.Stage, rows, tokens);
                k.FenceAsyncProxy();
                k.SyncWarp();
                k.Guarded(k.LaneId == 0, page.Full.Arrive);
                page.Advance();
            }, nounroll: true);
        });
    }

    private static void Prefetch(KernelBuilder k, GlobalPtr<U8> page)
    {
        var lines = MlaDecode.Page * Row.Bytes / Line;
        for (var first = 0; first < lines; first += Threads)
            k.PrefetchL2(page.Row(k.ThreadIdX + first, Line), first + Threads <= lines ? true : k.ThreadIdX < lines - first);
    }

    /// <summary>Rotated keys are BF16 as they are.</summary>
    private static void CopyKeys(MlaDecodeBlock block, S32 stage, GlobalPtr<U8> page, S32 tokens)
    {
        const int Chunks = MlaDecode.RopeDim * 2 / VectorBytes, Rows = Threads / Chunks;
        var k = block.K;
        var (row, chunk) = (k.ThreadIdX / Chunks, k.ThreadIdX % Chunks);
        var from = (page.Row(row, Row.Bytes) + chunk * VectorBytes).AddBytes(Row.RopeOffset);
        var values = Enumerable.Range(0, MlaDecode.Page / Rows).Select(i => from.AddBytes(i * Rows * Row.Bytes).As<B32>().LoadVectorOr(row < tokens - i * Rows, (B32)0u, 4)).ToArray();
        var to = block.Key(stage, MlaDecodeBlock.LatentTiles).AddBytes(row * MlaDecodeBlock.RowBytes).AddBytes(SwizzledRows.Chunk(row, chunk)).As<B32>();
        for (var i = 0; i < values.Length; i++) to.StoreVector(values[i], i * Rows * MlaDecodeBlock.RowBytes / sizeof(float));
    }
}
