using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;
using BlockScales = ModelDsl.Compiler.Kernels.Gemm.BlockScales;
using ExpertTiles = ModelDsl.Compiler.Kernels.Gemm.ExpertTiles;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// A linear layer on E4M3 operands for Hopper: C[M,N] = A[M,K] · W[N,K]ᵀ, A scaled per row and 128 inputs, W per 128 outputs and 128 inputs.
/// </summary>
/// <remarks>
/// <para>
/// Tiling. A block makes tiles of <see cref="Fp8GemmTile.Rows"/> x <see cref="Fp8GemmTile.Columns"/> of C, one after the other (persistent
/// grid), in steps of 128 along K: 128 bytes are a row of the 128-byte swizzle, one scale of A per row, and, as no tile is wider than 128
/// columns, one scale of W. Per tile (Rows + Columns) · K bytes come from L2 and 2 · Rows · Columns · K FLOPs are done: at 256 x 128 that is 170
/// FLOP per byte.
/// </para>
/// <para>
/// Roles. One thread of warpgroup 0 copies: tiles of A and W by tensor maps, which fill with zeros what lies beyond M, N and K, and the scales of A, which lie as
/// a tile wants them (<see cref="ScaleColumns"/>); the one scale of W it reads a step ahead. The other warpgroups multiply, 64 rows each at a time. Registers go from the
/// one to the others by setmaxnreg.
/// </para>
/// <para>
/// Pipeline. As many stages as shared memory holds, a full and an empty barrier each. A math warpgroup starts the 4 products of a step, waits,
/// releases the stage, and adds them to its sums in FP32; meanwhile the other one keeps the tensor cores busy. Per product that is Columns / 8
/// FFMAs. The C tile goes through shared memory to a tensor store that runs beside the next tile's products.
/// </para>
/// </remarks>
/// <param name="N">Outputs; rows of C must be multiples of 16 bytes.</param>
/// <param name="K">Inputs, a multiple of 16.</param>
/// <param name="Out">F32 or BF16.</param>
/// <param name="Blocks">Multiprocessors: blocks of the grid.</param>
public sealed record Fp8Gemm(int N, int K, DType Out, Fp8GemmTile Tile, int Blocks) : Kernel
{
    private const int Step = Fp8GemmTile.Step, WarpgroupThreads = 128;

    /// <summary>Null for one product.</summary>
    public Fp8Groups? Groups { get; init; }

    public override string Name => $"fp8_gemm_n{N}_k{K}_{Out.Text()}_{Tile.Rows}x{Tile.Columns}" + Groups switch
    {
        ContiguousGroups groups => $"_groups{groups.Count}",
        MaskedGroups groups => $"_masked{groups.Count}x{groups.Rows}",
        ListedGroups groups => $"_listed{groups.Count}",
        _ => "",
    };

    public override PtxTarget MinimumTarget => PtxTarget.Sm90a;

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("a", DType.E4M3) with { Map = new TileMap(GroupRows, K, Tile.Rows, Step) { Groups = RowGroups } },
        KernelParameter.In("w", DType.E4M3) with { Map = new TileMap(N, K, Tile.Columns, Step) { Groups = Groups?.Count } },
        KernelParameter.Out("c", Out) with { Map = new TileMap(GroupRows, N, TileStore.WaveRows, TileStore.RowBytes / Out.Bytes()) { Groups = RowGroups } },
        KernelParameter.In("a_scales", DType.F32),
        KernelParameter.In("w_scales", DType.F32),
        .. Groups switch
        {
            ContiguousGroups => [KernelParameter.In("groups", DType.I32), KernelParameter.Int("rows")],
            MaskedGroups => [KernelParameter.In("counts", DType.I32)],
            ListedGroups => [KernelParameter.Out("c_rows", Out), .. ExpertTiles.Parameters, KernelParameter.Int("rows")],
            _ => (KernelParameter[])[KernelParameter.Int("rows")],
        },
    ];

    /// <summary>A and C have a dimension for groups where each has room of its own.</summary>
    private int? RowGroups => (Groups as MaskedGroups)?.Count;

    private Dim GroupRows => Groups is MaskedGroups groups ? groups.Rows : Dim.Rows;

    public override LaunchGeometry Geometry => new(GridX, (1 + Tile.Warpgroups) * WarpgroupThreads, Tile.SharedBytes(Out));

    /// <summary>No more blocks than tiles, where that is known before the launch.</summary>
    private Dim GridX => Groups is MaskedGroups ? Blocks : Dim.Min(Blocks, (Groups is ListedGroups list ? ExpertTiles.Count(Tile.Rows, list.Count) : Dim.CeilDiv(Dim.Rows, Tile.Rows)) * ColumnTiles);

    /// <summary>Of a stage: copies of scales begin at multiples of 16 bytes, tiles of a list anywhere.</summary>
    private int ScaleRows => Tile.Rows + (Groups is ListedGroups ? 4 : 0);

    private int ColumnTiles => (N + Tile.Columns - 1) / Tile.Columns;

    /// <summary>Whether there is such a kernel: tensor maps want rows in multiples of 16 bytes.</summary>
    public static bool Fits(int n, int k, DType output) => k % 16 == 0 && n * output.Bytes() % 16 == 0 && output is DType.BF16 or DType.F32;

    private int Steps => (K + Step - 1) / Step;

    protected override void Write(KernelBuilder k)
    {
        k.RequireThreads(Geometry.Threads, minBlocksPerMultiprocessor: 1);
        var p = new Problem(k, this);
        WarpRoles.Split(
            k,
            initialise: () =>
            {
                p.A.Prefetch();
                p.W.Prefetch();
                p.C.Prefetch();
                p.Ring.Initialise();
            },
            Tile.CopyRegisters,
            copyTiles: () => k.If(k.Elect(), () => Copy(p)),
            multiply: warp =>
            {
                k.SetMaxRegisters(Tile.MathRegisters, increases: true);
                Multiply(p, (warp >> 2) - 1);
            },
            prepare: () => ClearedMemory.Write(k, p.Scales(0), Geometry.Threads, Tile.Stages(Out) * Tile.ScalesOfStage));
    }

    /// <summary>A tile of A with its scales and one of W for each step, as fast as stages become empty.</summary>
    private void Copy(Problem p)
    {
        var (k, at) = (p.K, p.Ring.Start());
        p.Tiles.ForEach(tile =>
        {
            var scales = new StepScales(k, p.AScalesOf(tile), p.ScaleStride(tile), tile.First - p.BeforeFirst(tile), ScaleRows, p.WScalesOf(tile), Steps);
            k.For(0, Steps, step =>
            {
                at.AwaitEmpty();
                scales.Expect(p.Scales(at.Stage), at.Full, step, (Tile.Rows + Tile.Columns) * Step);
                p.A.Load(p.ATile(at.Stage), at.Full, [step * Step, tile.First, .. p.RowGroup(tile)]);
                p.W.Load(p.WTile(at.Stage), at.Full, [step * Step, tile.Column * Tile.Columns, .. Problem.Group(tile)]);
                scales.Copy(p.Scales(at.Stage), at.Full, step);
                at.Advance();
            }, nounroll: true);
        });
    }

    /// <summary>The sums of 64 rows, or of 64 and the 64 that lie two warpgroups further.</summary>
    private void Multiply(Problem p, S32 warpgroup)
    {
        // Written out a few steps at a time, so that most addresses are constants.
        var together = Tile.Together(Out, Steps);
        var (k, ring) = (p.K, p.Ring.Start(together));
        var sums = new PromotedSums(k, WgmmaShape.E4M3(Tile.Columns), Tile.Waves);
        var store = new TileStore(k, p.CTile, Tile.Rows, Tile.Columns, Out, warpgroup, Tile.Warpgroups);
        var row = warpgroup * TileStore.WaveRows + (k.WarpId & 3) * 16 + k.LaneId / 4;
        var a = k.TileDescriptor(p.ATile(0).AddBytes(warpgroup * (TileStore.WaveRows * Step)), TileSwizzle.Bytes128, 8 * Step);
        var w = k.TileDescriptor(p.WTile(0), TileSwizzle.Bytes128, 8 * Step);

        p.Tiles.ForEach(tile =>
        {
            sums.Clear();
            k.For(0, Steps / together, _ =>
            {
                for (var step = 0; step < together; step++) Multiply(ring.Ahead(step), row + p.BeforeFirst(tile));
                ring.Advance();
            }, nounroll: true);
            store.Store(p.C, (wave, e) => sums[wave, e], Tile.Waves, tile.First, tile.Column * Tile.Columns, p.RowGroup(tile), part: p.PartOf(tile));
        });
        store.AwaitRead();

        void Multiply(StagePipeline.Cursor at, S32 row)
        {
            at.AwaitFull();
            var (aStage, wStage) = (a.At(at.Stage, Tile.Rows * Step), w.At(at.Stage, Tile.Columns * Step));
            var scales = p.Scales(at.Stage);
            var wScale = scales.Load(ScaleRows);
            for (var wave = 0; wave < Tile.Waves; wave++)
            {
                var waveRow = wave * Tile.Warpgroups * TileStore.WaveRows;
                var (upper, lower) = (scales.Load(row + waveRow), scales.Load(row + (waveRow + 8)));
                sums.Multiply(aStage + waveRow * Step, wStage);
                if (wave == Tile.Waves - 1) at.Release(k.LaneId == 0);
                sums.Promote(wave, upper * wScale, lower * wScale);
            }
        }
    }

    /// <summary>Parameters, shared memory, and which tiles there are.</summary>
    private sealed class Problem
    {
        private readonly Fp8Gemm _kernel;
        private readonly SharedPtr<U8> _a, _w;
        private readonly SharedPtr<F32> _scales;
        private readonly GlobalPtr<F32> _aScales, _wScales;
        private readonly GlobalPtr<U8>? _cRows;

        public Problem(KernelBuilder k, Fp8Gemm kernel)
        {
            var tile = kernel.Tile;
            (K, _kernel) = (k, kernel);
            (A, W, C) = (k.TensorMapParam("a"), k.TensorMapParam("w"), k.TensorMapParam("c"));
            (_aScales, _wScales) = (k.GlobalPtrParam<F32>("a_scales"), k.GlobalPtrParam<F32>("w_scales"));
            var stages = tile.Stages(kernel.Out);
            // Patterns of the swizzle repeat every 1024 bytes, and tiles have to start with one.
            _a = k.DynamicShared<U8>(stages * tile.Rows * Step, align: 1024);
            _w = k.DynamicShared<U8>(stages * tile.Columns * Step, align: 1024);
            CTile = k.DynamicShared<U8>(tile.Rows * tile.Columns * kernel.Out.Bytes(), align: 1024);
            _scales = k.DynamicShared<F32>(stages * tile.ScalesOfStage);
            // A lane of each math warp makes a stage empty.
            Ring = new StagePipeline(k, stages, fills: 1, releases: 4 * tile.Warpgroups);
            var columns = kernel.ColumnTiles;
            var band = BandScheduler.BestBand(kernel.Blocks, tile.Rows, tile.Columns);
            Tiles = kernel.Groups switch
            {
                MaskedGroups groups => new MaskedScheduler(k, k.GlobalPtrParam<S32>("counts"), groups.Count, tile.Rows, columns),
                ListedGroups when (_cRows = k.GlobalPtrParam<U8>("c_rows")) is not null => Listed(kernel, band),
                ContiguousGroups when k.GlobalPtrParam<S32>("groups") is var groups => new BandScheduler(k, k.S32Param("rows"), tile.Rows, columns, band, groups),
                _ => new BandScheduler(k, k.S32Param("rows"), tile.Rows, columns, band, null),
            };
        }

        public KernelBuilder K { get; }

        public TensorMapParameter A { get; }

        public TensorMapParameter W { get; }

        public TensorMapParameter C { get; }

        public SharedPtr<U8> CTile { get; }

        public StagePipeline Ring { get; }

        public TileScheduler Tiles { get; }

        public SharedPtr<U8> ATile(S32 stage) => _a.AddBytes(stage * (_kernel.Tile.Rows * Step));

        public SharedPtr<U8> WTile(S32 stage) => _w.AddBytes(stage * (_kernel.Tile.Columns * Step));

        /// <summary>Scales that are copied before the tile's first.</summary>
        public S32 BeforeFirst(TilePlace tile) => _kernel.Groups is ListedGroups ? tile.First & 3 : 0;

        /// <summary>Where the tile's last rows may be another's.</summary>
        public TilePart? PartOf(TilePlace tile) => tile.End is { } end ? new TilePart(_cRows!, _kernel.N, end) : null;

        /// <summary>The third coordinate of W.</summary>
        public static S32[] Group(TilePlace tile) => tile.Group is { } group ? [group] : [];

        /// <summary>The third coordinate of A and C.</summary>
        public S32[] RowGroup(TilePlace tile) => _kernel.RowGroups is null ? [] : Group(tile);

        private ListedScheduler Listed(Fp8Gemm kernel, int band)
        {
            var (offsets, groups, firsts, rows) = (K.GlobalPtrParam<S32>("offsets"), K.GlobalPtrParam<S32>("tile_expert"), K.GlobalPtrParam<S32>("tile_row"), K.S32Param("rows"));
            var entries = K.Min(rows, K.CeilDivide(rows, kernel.Tile.Rows) + kernel.Groups!.Count);
            return new ListedScheduler(K, offsets, groups, firsts, rows, entries, kernel.Tile.Rows, kernel.ColumnTiles, band);
        }

        /// <summary>Of the rows of a tile's group.</summary>
        public GlobalPtr<F32> AScalesOf(TilePlace tile) => _kernel.Groups is MaskedGroups ? _aScales.Row(tile.Group! * _kernel.Steps, ScaleStride(tile)) : _aScales;

        /// <summary>See <see cref="ScaleColumns"/>.</summary>
        public S32 ScaleStride(TilePlace tile) => ScaleColumns.Stride(_kernel.Groups is MaskedGroups groups ? groups.Rows : tile.Rows);

        /// <summary>Of the columns of a tile, step by step.</summary>
        public GlobalPtr<F32> WScalesOf(TilePlace tile)
        {
            var block = tile.Column * _kernel.Tile.Columns / BlockScales.Block;
            return _wScales.Row(tile.Group is { } group ? group * BlockScales.Count(_kernel.N) + block : block, _kernel.Steps);
        }

        /// <summary>One for each row, then the one of W.</summary>
        public SharedPtr<F32> Scales(S32 stage) => _scales + stage * _kernel.Tile.ScalesOfStage;
    }
}
