using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;
using BlockScales = ModelDsl.Compiler.Kernels.Gemm.BlockScales;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>
/// The linear layer of <see cref="Fp8Gemm"/> where A has few rows, as in decoding: the time goes into reading W, N · K bytes, once.
/// </summary>
/// <remarks>
/// <para>
/// Tiling. The operands change places: outputs are the 64 rows of a product and rows of A its columns, of which there may be as few as 8, so that few rows leave
/// no tensor core multiplying nothing. A step of 128 along K of a tile reads Outputs · 128 bytes of W from memory, and Rows · 128 of A, which L2 holds.
/// </para>
/// <para>
/// Depth. Tiles of W alone would not keep all multiprocessors at work: 4096 outputs are 32 tiles of 128. So the depth of each is dealt out to the blocks of a cluster, which
/// add their sums through each other's shared memory (<see cref="SplitSums"/>). Where a row's sums are cut depends on the tile only.
/// </para>
/// <para>
/// Roles and pipeline. One thread copies as fast as stages become empty, a warpgroup multiplies and promotes. Blocks make one tile each, and a multiprocessor has two of
/// them: what a block waits for when it begins and ends, the other one fills. What a thread promotes lies in Rows / 4 columns, each with a scale of its
/// own; those of the step are multiplied by the one of W first.
/// </para>
/// </remarks>
/// <param name="N">Outputs; rows of C must be multiples of 16 bytes.</param>
/// <param name="K">Inputs, a multiple of 16.</param>
/// <param name="Out">F32 or BF16.</param>
public sealed record Fp8GemmFewRows(int N, int K, DType Out, FewRowsTile Tile) : Kernel
{
    private const int Step = FewRowsTile.Step;

    public override string Name => $"fp8_gemm_n{N}_k{K}_{Out.Text()}_few{Tile.Rows}x{Tile.Outputs}_split{Tile.Split}";

    public override PtxTarget MinimumTarget => PtxTarget.Sm90a;

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("a", DType.E4M3) with { Map = new TileMap(Dim.Rows, K, Tile.Rows, Step) },
        KernelParameter.In("w", DType.E4M3) with { Map = new TileMap(N, K, Tile.Outputs, Step) },
        KernelParameter.Out("c", Out),
        KernelParameter.In("a_scales", DType.F32),
        KernelParameter.In("w_scales", DType.F32),
        KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry => new(Dim.CeilDiv(Dim.Rows, Tile.Rows) * (OutputTiles * Tile.Split), FewRowsTile.Threads, Tile.SharedBytes);

    private int OutputTiles => (N + Tile.Outputs - 1) / Tile.Outputs;

    private int Steps => (K + Step - 1) / Step;

    protected override void Write(KernelBuilder k)
    {
        k.RequireThreads(FewRowsTile.Threads, FewRowsTile.Residents);
        if (Tile.Split > 1) k.RequireCluster(Tile.Split);
        var p = new Problem(k, this);
        var warp = k.Shuffle(k.WarpId, 0);
        var copies = warp == FewRowsTile.MathThreads / 32;
        k.If(copies, () => k.If(k.Elect(), () =>
        {
            p.A.Prefetch();
            p.W.Prefetch();
            p.Ring.Initialise();
        }), uniform: true);
        ClearedMemory.Write(k, p.Scales(0), FewRowsTile.Threads, Tile.Stages * Tile.Rows);
        k.SyncThreads();
        k.If(copies, () => k.If(k.Elect(), () => Copy(p)), () => Multiply(p), uniform: true);
        AwaitCluster();
        k.If(!copies, () => p.Sums.Store(p.COfTile, Out, N, p.Rows - p.Row, N - p.Output), uniform: true);
        // Nobody's shared memory may go before all have read it.
        if (Tile.Split > 1) AwaitCluster();

        void AwaitCluster()
        {
            if (Tile.Split == 1)
            {
                k.SyncThreads();
                return;
            }
            k.ClusterArrive();
            k.ClusterWait();
        }
    }

    private void Copy(Problem p)
    {
        var (k, at) = (p.K, p.Ring.Start());
        var (stride, first) = (ScaleColumns.Stride(p.Rows), p.AScales + p.Row);
        var bytes = k.Min(stride - p.Row, Tile.Rows) * sizeof(float);
        k.For(p.From, p.To, step =>
        {
            at.AwaitEmpty();
            at.Full.ArriveExpecting((Tile.Rows + Tile.Outputs) * Step + bytes);
            p.W.Load(p.WTile(at.Stage), at.Full, step * Step, p.Output);
            p.A.Load(p.ATile(at.Stage), at.Full, step * Step, p.Row);
            k.BulkCopy(p.Scales(at.Stage), first.Row(step, stride), bytes, at.Full);
            at.Advance();
        }, nounroll: true);
    }

    /// <summary>The sums of all outputs for all rows of the tile, over the steps that this block has of it.</summary>
    private void Multiply(Problem p)
    {
        var (k, at) = (p.K, p.Ring.Start());
        var sums = new PromotedSums(k, WgmmaShape.E4M3(Tile.Rows), Tile.Waves);
        var w = k.TileDescriptor(p.WTile(0), TileSwizzle.Bytes128, 8 * Step);
        var a = k.TileDescriptor(p.ATile(0), TileSwizzle.Bytes128, 8 * Step);
        var wScales = new HeldScales(k, p.WScales.Row(p.Output / BlockScales.Block, Steps), p.From, Steps);
        var column = (k.LaneId & 3) * 2;

        k.For(p.From, p.To, step =>
        {
            var wScale = wScales.Of(step);
            at.AwaitFull();
            var scales = p.Scales(at.Stage) + column;
            var ofColumns = Enumerable.Range(0, Tile.Rows / 8).SelectMany(j => scales.LoadVector(2, 8 * j)).Select(scale => scale * wScale).ToArray();
            for (var wave = 0; wave < Tile.Waves; wave++)
            {
                sums.Multiply(w.At(at.Stage, Tile.Outputs * Step) + wave * TileStore.WaveRows * Step, a.At(at.Stage, Tile.Rows * Step));
                if (wave == Tile.Waves - 1) at.Release(k.LaneId == 0);
                sums.PromoteColumns(wave, ofColumns);
            }
            at.Advance();
        }, nounroll: true);

        // The sums take the place of the tiles, which other warps may still be multiplying.
        k.Barrier(1, FewRowsTile.MathThreads);
        for (var wave = 0; wave < Tile.Waves; wave++) p.Sums.Leave(wave * TileStore.WaveRows, e => sums[wave, e]);
    }

    /// <summary>Parameters, shared memory, and what of it all is this block's.</summary>
    private sealed class Problem
    {
        private readonly FewRowsTile _tile;
        private readonly SharedPtr<U8> _a, _w;
        private readonly SharedPtr<F32> _scales;

        public Problem(KernelBuilder k, Fp8GemmFewRows kernel)
        {
            (K, _tile) = (k, kernel.Tile);
            (A, W) = (k.TensorMapParam("a"), k.TensorMapParam("w"));
            var c = k.GlobalPtrParam<U8>("c");
            (AScales, WScales, Rows) = (k.GlobalPtrParam<F32>("a_scales"), k.GlobalPtrParam<F32>("w_scales"), k.S32Param("rows"));
            _w = k.DynamicShared<U8>(_tile.Stages * _tile.Outputs * Step, align: 1024);
            _a = k.DynamicShared<U8>(_tile.Stages * _tile.Rows * Step, align: 1024);
            _scales = k.DynamicShared<F32>(_tile.Stages * _tile.Rows);
            // A lane of each warp that multiplies makes a stage empty.
            Ring = new StagePipeline(k, _tile.Stages, fills: 1, releases: 4);

            var (rank, tile) = _tile.Split == 1 ? (0, k.BlockIdX) : (k.ClusterRank, k.BlockIdX / _tile.Split);
            var rowTiles = k.CeilDivide(Rows, _tile.Rows);
            var column = tile / rowTiles;
            (Row, Output) = ((tile - column * rowTiles) * _tile.Rows, column * _tile.Outputs);
            (From, To) = (rank * kernel.Steps / _tile.Split, (rank + 1) * kernel.Steps / _tile.Split);
            Sums = new SplitSums(k, _w.As<F32>(), _tile, rank);
            COfTile = c.Row(Row, kernel.N * kernel.Out.Bytes()).Row(Output, kernel.Out.Bytes());
        }

        public KernelBuilder K { get; }

        public TensorMapParameter A { get; }

        public TensorMapParameter W { get; }

        public GlobalPtr<F32> AScales { get; }

        public GlobalPtr<F32> WScales { get; }

        public GlobalPtr<U8> COfTile { get; }

        public StagePipeline Ring { get; }

        public SplitSums Sums { get; }

        /// <summary>Of A and C.</summary>
        public S32 Rows { get; }

        /// <summary>The tile's first.</summary>
        public S32 Row { get; }

        /// <summary>The tile's first.</summary>
        public S32 Output { get; }

        /// <summary>This block's first step.</summary>
        public S32 From { get; }

        /// <summary>Behind its last.</summary>
        public S32 To { get; }

        public SharedPtr<U8> ATile(S32 stage) => _a.AddBytes(stage * (_tile.Rows * Step));

        public SharedPtr<U8> WTile(S32 stage) => _w.AddBytes(stage * (_tile.Outputs * Step));

        /// <summary>One for each row.</summary>
        public SharedPtr<F32> Scales(S32 stage) => _scales + stage * _tile.Rows;
    }
}
