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
/// Depth. Tiles of W alone would not keep all multiprocessors at work, or not evenly: 4096 outputs are 32 tiles of 128. So the steps of all tiles are
/// dealt out evenly (<see cref="DepthScheduler"/>), and blocks that share a tile bring their sums together in scratch memory (<see cref="PartialSums"/>), always in
/// the same order. Where a row's sums are cut depends on the grid only, as long as its rows fit in one tile, and not on what other rows there are.
/// </para>
/// <para>
/// Roles and pipeline are those of <see cref="Fp8Gemm"/>. What a thread promotes lies in Rows / 4 columns, each with a scale of its own; those of the step are
/// multiplied by the one of W first.
/// </para>
/// </remarks>
/// <param name="N">Outputs; rows of C must be multiples of 16 bytes.</param>
/// <param name="K">Inputs, a multiple of 16.</param>
/// <param name="Out">F32 or BF16.</param>
/// <param name="Blocks">Multiprocessors: blocks of the grid.</param>
public sealed record Fp8GemmFewRows(int N, int K, DType Out, FewRowsTile Tile, int Blocks) : Kernel
{
    private const int Step = FewRowsTile.Step, WarpgroupThreads = 128, ProducerRegisters = 40;

    public override string Name => $"fp8_gemm_n{N}_k{K}_{Out.Text()}_few{Tile.Rows}x{Tile.Outputs}_chunk{Tile.Chunk}";

    public override PtxTarget MinimumTarget => PtxTarget.Sm90a;

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("a", DType.E4M3) with { Map = new TileMap(Dim.Rows, K, Tile.Rows, Step) },
        KernelParameter.In("w", DType.E4M3) with { Map = new TileMap(N, K, Tile.Outputs, Step) },
        KernelParameter.Out("c", Out) with { Map = new TileMap(Dim.Rows, N, Tile.Rows, TileStore.RowBytes / Out.Bytes()) },
        KernelParameter.In("a_scales", DType.F32),
        KernelParameter.In("w_scales", DType.F32),
        KernelParameter.InOut("scratch", DType.I32),
        KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry => new(
        Dim.Min(Blocks, Dim.CeilDiv(Dim.Rows, Tile.Rows) * (OutputTiles * ChunksOfTile)), (1 + Tile.Warpgroups) * WarpgroupThreads, Tile.SharedBytes(Out));

    /// <summary>Flags, as many as keep what follows aligned, and a tile's sums for each block.</summary>
    public override long ScratchBytes => sizeof(int) * (FlagCount + (long)Blocks * Tile.Sums);

    private int FlagCount => (Blocks * Tile.Warpgroups + 3) / 4 * 4;

    private int OutputTiles => (N + Tile.Outputs - 1) / Tile.Outputs;

    private int Steps => (K + Step - 1) / Step;

    private int ChunksOfTile => (Steps + Tile.Chunk - 1) / Tile.Chunk;

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
            ProducerRegisters,
            copyTiles: () => k.If(k.Elect(), () => Copy(p)),
            multiply: warp =>
            {
                k.SetMaxRegisters(Tile.MathRegisters, increases: true);
                Multiply(p, (warp >> 2) - 1);
            },
            prepare: () => ClearedMemory.Write(k, p.Scales(0), Geometry.Threads, Tile.Stages(Out) * Tile.ScalesOfStage));
    }

    private void Copy(Problem p)
    {
        var (k, at) = (p.K, p.Ring.Start());
        p.Depth.ForEach(part =>
        {
            var ofW = p.WScales.Row(part.Tile.Column * Tile.Outputs / BlockScales.Block, Steps);
            var scales = new StepScales(k, p.AScales, ScaleColumns.Stride(part.Tile.Rows), part.Tile.First, Tile.Rows, ofW, part.From, Steps);
            k.For(part.From, part.To, step =>
            {
                at.AwaitEmpty();
                scales.Expect(p.Scales(at.Stage), at.Full, step, (Tile.Rows + Tile.Outputs) * Step);
                p.W.Load(p.WTile(at.Stage), at.Full, step * Step, part.Tile.Column * Tile.Outputs);
                p.A.Load(p.ATile(at.Stage), at.Full, step * Step, part.Tile.First);
                scales.Copy(p.Scales(at.Stage), at.Full, step);
                at.Advance();
            }, nounroll: true);
        });
    }

    /// <summary>The sums of 64 outputs for all rows of a tile, over the steps that this block has of it.</summary>
    private void Multiply(Problem p, S32 warpgroup)
    {
        var (k, at) = (p.K, p.Ring.Start());
        var sums = new PromotedSums(k, WgmmaShape.E4M3(Tile.Rows), waves: 1);
        var registers = Tile.Rows / 2;
        var parts = new PartialSums(k, p.Flags, p.Parts, registers, warpgroup, Tile.Warpgroups);
        var store = new TransposedStore(k, p.CTile.AddBytes(warpgroup * (Tile.Rows * TileStore.WaveRows * Out.Bytes())), Tile.Rows, Out, warpgroup);
        var w = k.TileDescriptor(p.WTile(0).AddBytes(warpgroup * (TileStore.WaveRows * Step)), TileSwizzle.Bytes128, 8 * Step);
        var a = k.TileDescriptor(p.ATile(0), TileSwizzle.Bytes128, 8 * Step);
        var column = (k.LaneId & 3) * 2;

        p.Depth.ForEach(part =>
        {
            sums.Clear();
            k.For(part.From, part.To, _ =>
            {
                at.AwaitFull();
                var scales = p.Scales(at.Stage);
                var wScale = scales.Load(Tile.Rows);
                var ofColumns = Enumerable.Range(0, Tile.Rows / 8).SelectMany(j => (scales + column).LoadVector(2, 8 * j)).Select(scale => scale * wScale).ToArray();
                sums.Multiply(w.At(at.Stage, Tile.Outputs * Step), a.At(at.Stage, Tile.Rows * Step));
                at.Release(k.LaneId == 0);
                sums.PromoteColumns(ofColumns);
                at.Advance();
            }, nounroll: true);

            k.If(part.From == 0, () =>
            {
                k.If(part.To < Steps, () =>
                {
                    var next = k.Var(k.BlockIdX + 1);
                    k.DoWhile(() =>
                    {
                        parts.Take(next.Value, (e, value) => sums.Add(e, value));
                        next.Value = next.Value + 1;
                        return p.Depth.Start(next.Value) < part.TileEnd;
                    });
                });
                store.Store(p.C, e => sums[0, e], part.Tile.First, part.Tile.Column * Tile.Outputs + warpgroup * TileStore.WaveRows);
            }, () => parts.Give(e => sums[0, e]), uniform: true);
        });
        store.AwaitRead();
    }

    /// <summary>Parameters, shared memory, and who does what.</summary>
    private sealed class Problem
    {
        private readonly FewRowsTile _tile;
        private readonly SharedPtr<U8> _a, _w;
        private readonly SharedPtr<F32> _scales;

        public Problem(KernelBuilder k, Fp8GemmFewRows kernel)
        {
            (K, _tile) = (k, kernel.Tile);
            (A, W, C) = (k.TensorMapParam("a"), k.TensorMapParam("w"), k.TensorMapParam("c"));
            (AScales, WScales) = (k.GlobalPtrParam<F32>("a_scales"), k.GlobalPtrParam<F32>("w_scales"));
            Flags = k.GlobalPtrParam<S32>("scratch");
            Parts = Flags.AddBytes(sizeof(int) * kernel.FlagCount).As<F32>();
            var stages = _tile.Stages(kernel.Out);
            _a = k.DynamicShared<U8>(stages * _tile.Rows * Step, align: 1024);
            _w = k.DynamicShared<U8>(stages * _tile.Outputs * Step, align: 1024);
            CTile = k.DynamicShared<U8>(_tile.Sums * kernel.Out.Bytes(), align: 1024);
            _scales = k.DynamicShared<F32>(stages * _tile.ScalesOfStage);
            // A lane of each math warp makes a stage empty.
            Ring = new StagePipeline(k, stages, fills: 1, releases: 4 * _tile.Warpgroups);
            Depth = new DepthScheduler(k, k.S32Param("rows"), _tile.Rows, kernel.OutputTiles, kernel.Steps, _tile.Chunk);
        }

        public KernelBuilder K { get; }

        public TensorMapParameter A { get; }

        public TensorMapParameter W { get; }

        public TensorMapParameter C { get; }

        public GlobalPtr<F32> AScales { get; }

        public GlobalPtr<F32> WScales { get; }

        public GlobalPtr<S32> Flags { get; }

        public GlobalPtr<F32> Parts { get; }

        public SharedPtr<U8> CTile { get; }

        public StagePipeline Ring { get; }

        public DepthScheduler Depth { get; }

        public SharedPtr<U8> ATile(S32 stage) => _a.AddBytes(stage * (_tile.Rows * Step));

        public SharedPtr<U8> WTile(S32 stage) => _w.AddBytes(stage * (_tile.Outputs * Step));

        /// <summary>One for each row, then the one of W.</summary>
        public SharedPtr<F32> Scales(S32 stage) => _scales + stage * _tile.ScalesOfStage;
    }
}
