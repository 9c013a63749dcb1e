using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// The gradient of a linear layer's weights from E4M3 operands: C[N,K] += A[N,tokens] · B[K,tokens]ᵀ, A being the gradient of the outputs and B the inputs, both scaled per feature and 128
/// tokens as <c>TransposedQuantizeKernel</c> leaves them. C is FP32, as master gradients are (V3 report, section 3.3.2).
/// </summary>
/// <remarks>
/// <para>
/// Tiling. A block makes tiles of 128 x 128 of C one after the other (persistent grid), in steps of 128 tokens: 256 · tokens bytes come from L2 for each tile, and 128 KiB of C are read and written where
/// the addition is done, in L2.
/// </para>
/// <para>
/// Roles and pipeline are those of <see cref="Fp8Gemm"/>. As each row and each column of a step has a scale of its own, a product's sums take a multiplication and a fused one each
/// instead of the fused one alone: half of the instructions that the tensor cores' time leaves room for.
/// </para>
/// <para>
/// Each element of C is added to once, or once for each group that has tokens, so results do not depend on the order of blocks.
/// </para>
/// </remarks>
/// <param name="N">Outputs of the layer.</param>
/// <param name="K">Inputs of the layer, a multiple of 4.</param>
/// <param name="Blocks">Multiprocessors: blocks of the grid.</param>
public sealed record Fp8WeightGradient(int N, int K, int Blocks) : Kernel
{
    private const int Step = 128, Tile = 128, TileBytes = Tile * Step, Warpgroups = 2, WarpgroupThreads = 128, CopyRegisters = 40, MathRegisters = 232;

    /// <summary>Scales of a stage: of A's rows, then of B's.</summary>
    private const int ScalesOfStage = 2 * Tile;

    private const int CBytes = Tile * Tile * sizeof(float), StageBytes = 2 * TileBytes + ScalesOfStage * sizeof(float);

    /// <summary>As many as shared memory holds beside the tile of C.</summary>
    private static readonly int Stages = (HopperGpu.SharedBytesOfBlock - CBytes) / (StageBytes + StagePipeline.SharedBytes(1));

    /// <summary>
    /// Experts, each with a C of its own: C[G,N,K]. <c>offsets</c> i32[G+1] says how many tokens each has; the operands hold them one expert after the other, each from a multiple of 128
    /// tokens on and with zeros up to the next. Null for one layer.
    /// </summary>
    public int? Groups { get; init; }

    public override string Name => $"fp8_gemm_dw_n{N}_k{K}" + (Groups is { } groups ? $"_groups{groups}" : "");

    public override PtxTarget MinimumTarget => PtxTarget.Sm90a;

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("a", DType.E4M3) with { Map = new TileMap(N, Tokens, Tile, Step) },
        KernelParameter.In("b", DType.E4M3) with { Map = new TileMap(K, Tokens, Tile, Step) },
        KernelParameter.InOut("c", DType.F32) with { Map = new TileMap(N, K, TileStore.WaveRows, TileStore.RowBytes / sizeof(float)) { Groups = Groups } },
        KernelParameter.In("a_scales", DType.F32),
        KernelParameter.In("b_scales", DType.F32),
        .. Groups is null ? [] : new[] { KernelParameter.In("offsets", DType.I32) },
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(
        Groups is null ? Math.Min(Blocks, RowTiles * ColumnTiles) : Blocks, (1 + Warpgroups) * WarpgroupThreads, CBytes + Stages * (StageBytes + StagePipeline.SharedBytes(1)));

    /// <summary>Whether there is such a kernel: tensor maps want rows in multiples of 16 bytes.</summary>
    public static bool Fits(int k) => k % 4 == 0;

    private int RowTiles => (N + Tile - 1) / Tile;

    private int ColumnTiles => (K + Tile - 1) / Tile;

    /// <summary>Of the operands: whole steps.</summary>
    private static Dim Tokens => Dim.CeilDiv(Dim.Rows, Step) * Step;

    protected override void Write(KernelBuilder k)
    {
        k.RequireThreads(Geometry.Threads, minBlocksPerMultiprocessor: 1);
        var p = new Problem(k, this);
        WarpRoles.Split(
            k,
            initialise: () =>
            {
                p.A.Prefetch();
                p.B.Prefetch();
                p.C.Prefetch();
                p.Ring.Initialise();
            },
            CopyRegisters,
            copyTiles: () => k.If(k.Elect(), () => Copy(p)),
            multiply: warp =>
            {
                k.SetMaxRegisters(MathRegisters, increases: true);
                Multiply(p, (warp >> 2) - 1);
            },
            prepare: () => ClearedMemory.Write(k, p.Scales(0), Geometry.Threads, Stages * ScalesOfStage));
    }

    /// <summary>A tile of A, one of B and the scales of both for each step, as fast as stages become empty.</summary>
    private void Copy(Problem p)
    {
        var (k, at) = (p.K, p.Ring.Start());
        p.Tiles.ForEach(tile =>
        {
            var (row, column, (first, count)) = (tile.First, tile.Column * Tile, tile.Steps ?? (0, p.Steps));
            var (a, b) = (new ScalesOfOperand(k, p.AScales, N, row), new ScalesOfOperand(k, p.BScales, K, column));
            k.For(first, first + count, step =>
            {
                at.AwaitEmpty();
                at.Full.ArriveExpecting(2 * TileBytes + (a.Bytes + b.Bytes));
                p.A.Load(p.ATile(at.Stage), at.Full, [step * Step, row]);
                p.B.Load(p.BTile(at.Stage), at.Full, [step * Step, column]);
                a.Copy(p.Scales(at.Stage), at.Full, step);
                b.Copy(p.Scales(at.Stage) + Tile, at.Full, step);
                at.Advance();
            }, nounroll: true);
        });
    }

    /// <summary>The sums of 64 rows.</summary>
    private void Multiply(Problem p, S32 warpgroup)
    {
        var (k, at) = (p.K, p.Ring.Start());
        var sums = new PromotedSums(k, WgmmaShape.E4M3(Tile), waves: 1);
        var store = new TileStore(k, p.CTile, Tile, Tile, DType.F32, warpgroup, Warpgroups);
        var a = k.TileDescriptor(p.ATile(0).AddBytes(warpgroup * (TileStore.WaveRows * Step)), TileSwizzle.Bytes128, 8 * Step);
        var b = k.TileDescriptor(p.BTile(0), TileSwizzle.Bytes128, 8 * Step);
        var row = warpgroup * TileStore.WaveRows + (k.WarpId & 3) * 16 + k.LaneId / 4;
        var column = k.LaneId % 4 * 2;

        p.Tiles.ForEach(tile =>
        {
            sums.Clear();
            k.For(0, tile.Steps?.Count ?? p.Steps, _ =>
            {
                at.AwaitFull();
                var scales = p.Scales(at.Stage);
                var (ofRow, ofColumn) = (scales + row, scales + (column + Tile));
                var (upper, lower) = (ofRow.Load(), ofRow.Load(8));
                var columns = Enumerable.Range(0, Tile / 8).SelectMany(j => ofColumn.LoadVector(2, 8 * j)).ToArray();
                sums.Multiply(a.At(at.Stage, TileBytes), b.At(at.Stage, TileBytes));
                at.Release(k.LaneId == 0);
                sums.Promote(upper, lower, columns);
                at.Advance();
            }, nounroll: true);
            store.Store(p.C, (_, e) => sums[0, e], 1, tile.First, tile.Column * Tile, tile.Group is { } group ? [group] : [], adds: true);
        });
        store.AwaitRead();
    }

    /// <summary>The scales of a tile's rows of an operand, step by step in one piece.</summary>
    private sealed record ScalesOfOperand(KernelBuilder K, GlobalPtr<F32> Scales, int Features, S32 First)
    {
        private int Stride => ScaleColumns.Stride(Features);

        public S32 Bytes => K.Min(Stride - First, Tile) * sizeof(float);

        public void Copy(SharedPtr<F32> to, Mbarrier full, S32 step) => K.BulkCopy(to, (Scales + First).Row(step, Stride), Bytes, full);
    }

    /// <summary>Parameters, shared memory, and which tiles there are.</summary>
    private sealed class Problem
    {
        private readonly SharedPtr<U8> _a, _b;
        private readonly SharedPtr<F32> _scales;

        public Problem(KernelBuilder k, Fp8WeightGradient kernel)
        {
            K = k;
            (A, B, C) = (k.TensorMapParam("a"), k.TensorMapParam("b"), k.TensorMapParam("c"));
            (AScales, BScales) = (k.GlobalPtrParam<F32>("a_scales"), k.GlobalPtrParam<F32>("b_scales"));
            // Patterns of the swizzle repeat every 1024 bytes, and tiles have to start with one.
            _a = k.DynamicShared<U8>(Stages * TileBytes, align: 1024);
            _b = k.DynamicShared<U8>(Stages * TileBytes, align: 1024);
            CTile = k.DynamicShared<U8>(CBytes, align: 1024);
            _scales = k.DynamicShared<F32>(Stages * ScalesOfStage);
            // A lane of each math warp makes a stage empty.
            Ring = new StagePipeline(k, Stages, fills: 1, releases: 4 * Warpgroups);
            var band = BandScheduler.BestBand(kernel.Blocks, Tile, Tile);
            if (kernel.Groups is { } groups)
                Tiles = new DepthGroupScheduler(k, k.GlobalPtrParam<S32>("offsets"), groups, Step, kernel.N, Tile, kernel.ColumnTiles, band);
            else
                Tiles = new BandScheduler(k, kernel.N, Tile, kernel.ColumnTiles, band, null);
            Steps = k.CeilDivide(k.S32Param("tokens"), Step);
        }

        public KernelBuilder K { get; }

        public TensorMapParameter A { get; }

        public TensorMapParameter B { get; }

        public TensorMapParameter C { get; }

        public GlobalPtr<F32> AScales { get; }

        public GlobalPtr<F32> BScales { get; }

        public SharedPtr<U8> CTile { get; }

        public StagePipeline Ring { get; }

        public TileScheduler Tiles { get; }

        /// <summary>Of all tokens.</summary>
        public S32 Steps { get; }

        public SharedPtr<U8> ATile(S32 stage) => _a.AddBytes(stage * TileBytes);

        public SharedPtr<U8> BTile(S32 stage) => _b.AddBytes(stage * TileBytes);

        /// <summary>One for each row of A's tile, then one for each row of B's.</summary>
        public SharedPtr<F32> Scales(S32 stage) => _scales + stage * ScalesOfStage;
    }
}
