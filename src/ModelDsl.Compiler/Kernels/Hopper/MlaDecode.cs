using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// Latent attention of decode steps, absorbed, on a paged cache (V2 report, section 2.1; V3 report, section 2.1.1): softmax(scale · Q · Kᵀ) · V where rows of K are
/// 512 latents and 64 rotated values, V is K's latents, and all heads share them.
/// </summary>
/// <remarks>
/// <para>
/// Tiling. A block takes 64 rows of Q, which are heads of a request's queries, and one part of the line of pages (<see cref="DecodePlan"/>). Per page of 64 tokens it
/// reads 64 · 576 · 2 bytes and makes 2 · 64 · 64 · (576 + 512) FLOPs: 121 per byte, twice that where two tiles of a request share pages in L2.
/// </para>
/// <para>
/// Roles. Sums of 64 x 512 are half a multiprocessor's registers, so two warpgroups have 256 columns each (<see cref="MlaDecodeValues"/>). A third one multiplies Q by K
/// and makes probabilities of the scores (<see cref="MlaDecodeScores"/>), which go to the others by shared memory, with the factor on what is summed already. So while
/// probabilities of one page are made, products of the page before run; both kinds of products share the tensor cores. One thread of a fourth warpgroup loads, or all of them where the
/// cache is FP8 and pages have to be widened on their way (<see cref="MlaDecodeFp8Pages"/>).
/// </para>
/// <para>
/// Pipeline. Two pages and Q are all that fits into shared memory. A page is free for the next when both halves of V have been multiplied; Q when its last scores are
/// made. Tokens behind a request's end are never looked at: their scores are minus infinity, and their rows of V zero in shared memory, as the cache
/// may hold anything there.
/// </para>
/// </remarks>
/// <param name="Heads">Heads of a query.</param>
/// <param name="Queries">Tokens that each request decodes at once: with more than one (drafts that are verified), each sees those before it.</param>
/// <param name="NopeDim">Columns of q before those that are rotated.</param>
/// <param name="Scale">On scores.</param>
/// <param name="Parts">That pages are dealt out to: blocks of the grid for each 64 rows.</param>
public sealed record MlaDecode(int Heads, int Queries, int NopeDim, double Scale, int Parts) : Kernel
{
    public const int KvRank = 512, RopeDim = 64, Width = KvRank + RopeDim, Page = DecodePlan.Page, TileRows = 64;

    private const int Warpgroups = 4, ProducerRegisters = 40, WideningRegisters = 64, ScoreRegisters = 136, WideningScoreRegisters = 112, ValueRegisters = 168;

    /// <summary>Q and two pages, columns of 128 bytes; probabilities; factors and sums of rows; barriers.</summary>
    internal const int Stages = 2, TileBytes = TileRows * Width * 2, ProbabilityBytes = TileRows * Page * 2;

    private static readonly int SharedBytes = (1 + Stages) * TileBytes + ProbabilityBytes + 2 * TileRows * sizeof(float) + StagePipeline.SharedBytes(2 + Stages);

    /// <summary>Rows of the cache are <see cref="Fp8CacheRow"/>s instead of 576 BF16.</summary>
    public bool Fp8Cache { get; init; }

    public override string Name => $"mla_decode_wgmma_h{Heads}_s{Queries}_n{NopeDim}_x{KernelNames.Of(Scale)}_parts{Parts}{KernelNames.If(Fp8Cache, "fp8")}";

    public override PtxTarget MinimumTarget => PtxTarget.Sm90a;

    /// <summary>Whether there is such a kernel.</summary>
    public static bool Fits(int kvRank, int nopeDim, int ropeDim, int page) => kvRank == KvRank && ropeDim == RopeDim && nopeDim % 8 == 0 && page == Page;

    public override string RowsParameter => "requests";

    /// <summary>
    /// Of the 36 parts of Q, 16 columns each, those that the scores' warps hold in registers. A product of two tiles in shared memory, 64 rows each, reads as many bytes in a clock as there is bandwidth, 128,
    /// while values are multiplied and pages written beside it; with A from registers it is half of that.
    /// </summary>
    internal int HeldParts => Fp8Cache ? 12 : 18;

    /// <summary>Rows of Q that a request has.</summary>
    public int Rows => Heads * Queries;

    private Dim AllRows => Dim.Rows * Rows;

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("q_latent", DType.BF16) with { Map = new TileMap(AllRows, KvRank, TileRows, MlaDecodeBlock.ColumnsOfTile) },
        KernelParameter.In("q", DType.BF16) with { Map = new TileMap(AllRows, NopeDim + RopeDim, TileRows, MlaDecodeBlock.ColumnsOfTile) },
        // The cache is as long as the page numbers say.
        Fp8Cache ? KernelParameter.In("cache", DType.E4M3) : KernelParameter.In("cache", DType.BF16) with { Map = new TileMap(int.MaxValue, Width, Page, MlaDecodeBlock.ColumnsOfTile) },
        KernelParameter.In("pages", DType.I32),
        KernelParameter.In("lengths", DType.I32),
        KernelParameter.In("starts", DType.I32),
        KernelParameter.Out("out", DType.BF16),
        KernelParameter.Out("lse", DType.F32),
        KernelParameter.Out("partial", DType.F32),
        KernelParameter.Out("partial_lse", DType.F32),
        KernelParameter.Int("max_pages"),
        KernelParameter.Int("requests"),
    ];

    public override LaunchGeometry Geometry => new((Rows + TileRows - 1) / TileRows, Parts, 1, Warpgroups * 128, SharedBytes);

    protected override void Write(KernelBuilder k)
    {
        k.RequireThreads(Geometry.Threads, minBlocksPerMultiprocessor: 1);
        var block = new MlaDecodeBlock(k, this);

        WarpRoles.Split(k, block.Initialise, Fp8Cache ? WideningRegisters : ProducerRegisters, allCopy: Fp8Cache, copyTiles: () => Load(block), multiply: warp => k.If(warp < 8, () =>
        {
            k.SetMaxRegisters(Fp8Cache ? WideningScoreRegisters : ScoreRegisters, increases: !Fp8Cache);
            MlaDecodeScores.Write(block);
        }, () =>
        {
            k.SetMaxRegisters(ValueRegisters, increases: true);
            MlaDecodeValues.Write(block, (warp >> 2) - 2);
        }, uniform: true));
    }

    /// <summary>Q of each piece, and its pages one after the other as they become free.</summary>
    private static void Load(MlaDecodeBlock block)
    {
        var k = block.K;
        var (q, page) = (block.Queries.Start(), block.Keys.Start());
        var range = block.Range();
        if (block.Kernel.Fp8Cache)
        {
            MlaDecodeFp8Pages.Load(block, range);
            return;
        }
        k.If(k.Elect(), () => block.ForEach(range, piece =>
        {
            block.LoadQuery(q, piece);
            var table = block.PagesOf(piece.Request);
            k.For(piece.From, piece.To, number =>
            {
                var first = table.Load(number) * Page;
                page.AwaitEmpty();
                page.Full.ArriveExpecting(TileBytes);
                for (var tile = 0; tile < MlaDecodeBlock.Tiles; tile++) block.CacheMap.Load(block.Key(page.Stage, tile), page.Full, tile * MlaDecodeBlock.ColumnsOfTile, first);
                page.Advance();
            }, nounroll: true);
            q.Advance();
        }));
    }
}
