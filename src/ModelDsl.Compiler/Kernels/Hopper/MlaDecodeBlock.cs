using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>What the roles of <see cref="MlaDecode"/> share: parameters, shared memory, barriers, the pieces they all walk through.</summary>
internal sealed class MlaDecodeBlock
{
    /// <summary>A tile of Q or K is 9 columns of 128 bytes, 64 rows each, one behind the other.</summary>
    public const int ColumnsOfTile = 64, Tiles = MlaDecode.Width / ColumnsOfTile, LatentTiles = MlaDecode.KvRank / ColumnsOfTile, ColumnBytes = MlaDecode.TileRows * RowBytes, RowBytes = 128;

    private readonly SharedPtr<U8> _q, _k;
    private readonly TensorMapParameter _qLatentMap, _qMap;
    private readonly TensorMapParameter? _cacheMap;
    private readonly GlobalPtr<U8>? _rows;
    private readonly GlobalPtr<S32> _pages, _lengths;
    private readonly S32 _maxPages;
    private readonly DecodePlan _plan;

    public MlaDecodeBlock(KernelBuilder k, MlaDecode kernel)
    {
        (K, Kernel) = (k, kernel);
        (_qLatentMap, _qMap) = (k.TensorMapParam("q_latent"), k.TensorMapParam("q"));
        if (kernel.Fp8Cache) _rows = k.GlobalPtrParam<U8>("cache");
        else _cacheMap = k.TensorMapParam("cache");
        (_pages, _lengths) = (k.GlobalPtrParam<S32>("pages"), k.GlobalPtrParam<S32>("lengths"));
        var starts = k.GlobalPtrParam<S32>("starts");
        (Out, Lse) = (k.GlobalPtrParam<BF16>("out"), k.GlobalPtrParam<F32>("lse"));
        (Partial, PartialLse) = (k.GlobalPtrParam<F32>("partial"), k.GlobalPtrParam<F32>("partial_lse"));
        _maxPages = k.S32Param("max_pages");
        _plan = new DecodePlan(k, starts, k.S32Param("requests"), kernel.Parts);
        // Patterns of the swizzle repeat every 1024 bytes, and tiles have to start with one.
        _q = k.DynamicShared<U8>(MlaDecode.TileBytes, align: 1024);
        _k = k.DynamicShared<U8>(MlaDecode.Stages * MlaDecode.TileBytes, align: 1024);
        P = k.DynamicShared<U8>(MlaDecode.ProbabilityBytes, align: 1024);
        (Keep, Sums) = (k.DynamicShared<F32>(MlaDecode.TileRows), k.DynamicShared<F32>(MlaDecode.TileRows));
        // A warp speaks through one of its lanes: four make scores, eight multiply by V, and four widen pages where a copy is not enough.
        Queries = new StagePipeline(k, 1, fills: 1, releases: 4);
        Keys = new StagePipeline(k, MlaDecode.Stages, fills: kernel.Fp8Cache ? 4 : 1, releases: 8);
        Probabilities = new StagePipeline(k, 1, fills: 4, releases: 8);
    }

    public KernelBuilder K { get; }

    public MlaDecode Kernel { get; }

    /// <summary>Of a BF16 cache.</summary>
    public TensorMapParameter CacheMap => _cacheMap ?? throw new InvalidOperationException("the cache is FP8");

    /// <summary>An FP8 cache, in <see cref="Fp8CacheRow"/>s.</summary>
    public GlobalPtr<U8> CacheRows => _rows ?? throw new InvalidOperationException("the cache is BF16");

    /// <summary>BF16[requests, rows, 512].</summary>
    public GlobalPtr<BF16> Out { get; }

    /// <summary>F32[requests, rows], natural logarithms.</summary>
    public GlobalPtr<F32> Lse { get; }

    /// <summary>F32[2 · parts, rows, 512].</summary>
    public GlobalPtr<F32> Partial { get; }

    /// <summary>F32[2 · parts, rows].</summary>
    public GlobalPtr<F32> PartialLse { get; }

    /// <summary>Probabilities of a page, 64 rows of 128 bytes.</summary>
    public SharedPtr<U8> P { get; }

    /// <summary>The factor of each row on what has been summed before.</summary>
    public SharedPtr<F32> Keep { get; }

    /// <summary>The sum of each row's probabilities at the end of a piece.</summary>
    public SharedPtr<F32> Sums { get; }

    public StagePipeline Queries { get; }

    public StagePipeline Keys { get; }

    /// <summary>Of each page of a piece, and last the sums of rows.</summary>
    public StagePipeline Probabilities { get; }

    /// <summary>Of this block's 64, in its request.</summary>
    public S32 FirstRow => K.BlockIdX * MlaDecode.TileRows;

    public SharedPtr<U8> Query(int tile) => _q.AddBytes(tile * ColumnBytes);

    public SharedPtr<U8> Key(S32 stage, int tile) => _k.AddBytes(stage * MlaDecode.TileBytes).AddBytes(tile * ColumnBytes);

    public GlobalPtr<S32> PagesOf(S32 request) => _pages.Row(request, _maxPages);

    public void Initialise()
    {
        _qLatentMap.Prefetch();
        _qMap.Prefetch();
        _cacheMap?.Prefetch();
        foreach (var ring in new[] { Queries, Keys, Probabilities }) ring.Initialise();
    }

    /// <summary>The rows of Q that a piece is for, by one thread, when those of the piece before have been used.</summary>
    public void LoadQuery(StagePipeline.Cursor q, DecodePiece piece)
    {
        q.AwaitEmpty();
        q.Full.ArriveExpecting(MlaDecode.TileBytes);
        var row = piece.Request * Kernel.Rows + FirstRow;
        for (var tile = 0; tile < LatentTiles; tile++) _qLatentMap.Load(Query(tile), q.Full, tile * ColumnsOfTile, row);
        _qMap.Load(Query(LatentTiles), q.Full, Kernel.NopeDim, row);
    }

    /// <summary>This block's part, looked up by a whole warp.</summary>
    public DecodeRange Range() => _plan.RangeOf(K.BlockIdY);

    public void ForEach(DecodeRange range, Action<DecodePiece> work) => _plan.ForEach(range, _lengths, work);
}
