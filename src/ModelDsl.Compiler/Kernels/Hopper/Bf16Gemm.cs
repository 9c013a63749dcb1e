using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>A linear layer on BF16 operands for Hopper, forward and both gradients (<see cref="GemmForm"/>), summed in FP32.</summary>
/// <remarks>
/// <para>
/// Tiling. A block makes tiles of Rows x Columns of C one after the other (persistent grid), in steps of 64 along the depth, which are rows of the 128-byte swizzle.
/// Per tile (Rows + Columns) · depth · 2 bytes come from L2 and 2 · Rows · Columns · depth FLOPs are done: at 128 x 256 that is 85 FLOP per byte.
/// </para>
/// <para>
/// Operands that do not lie with the depth fastest are copied as they are and read transposed by <c>wgmma</c>, so that no form needs a transposed copy of anything.
/// </para>
/// <para>
/// Roles and pipeline. One thread of warpgroup 0 copies by tensor maps, which fill with zeros what lies outside; the others multiply 64 rows each. A step's products are
/// started before those of the step before have ended, whose stage is free then. The C tile goes through shared memory to a tensor store, or a tensor addition,
/// that runs beside the next tile's products. Each element of C is added to once, so results do not depend on the order of blocks.
/// </para>
/// </remarks>
/// <param name="N">Outputs of the layer, a multiple of 8.</param>
/// <param name="K">Inputs of the layer, a multiple of 8.</param>
/// <param name="Out">F32 or BF16.</param>
/// <param name="Blocks">Multiprocessors: blocks of the grid.</param>
public sealed record Bf16Gemm(GemmForm Form, int N, int K, DType Out, Bf16GemmTile Tile, int Blocks) : Kernel
{
    private const int Step = Bf16GemmTile.Step, WarpgroupThreads = 128, ProducerRegisters = 40, Depth = 16;

    /// <summary>C is added to instead of being written; F32 only.</summary>
    public bool Accumulates { get; init; }

    public override string Name => $"bf16_gemm_{FormName}_n{N}_k{K}_{Out.Text()}_{Tile.Rows}x{Tile.Columns}{KernelNames.If(Accumulates, "adds")}";

    public override PtxTarget MinimumTarget => PtxTarget.Sm90a;

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("a", DType.BF16) with { Map = Bf16Operand.MapOf(Height, DepthSize, Tile.Rows, TransposesA) },
        KernelParameter.In(Form == GemmForm.WeightGradient ? "b" : "w", DType.BF16) with { Map = Bf16Operand.MapOf(Width, DepthSize, Tile.Columns, TransposesB) },
        (Accumulates ? KernelParameter.InOut("c", Out) : KernelParameter.Out("c", Out)) with { Map = new TileMap(Height, Width, TileStore.WaveRows, TileStore.RowBytes / Out.Bytes()) },
        KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry => new(
        Dim.Min(Blocks, Dim.CeilDiv(Height, Tile.Rows) * ((Width + Tile.Columns - 1) / Tile.Columns)), (1 + Tile.Warpgroups) * WarpgroupThreads, Tile.SharedBytes(Out));

    /// <summary>Whether there is such a kernel: tensor maps want rows in multiples of 16 bytes.</summary>
    public static bool Fits(int n, int k, DType output) => n % 8 == 0 && k % 8 == 0 && output is DType.BF16 or DType.F32;

    private string FormName => Form switch { GemmForm.InputGradient => "dx", GemmForm.WeightGradient => "dw", _ => "y" };

    /// <summary>Rows of C.</summary>
    private Dim Height => Form == GemmForm.WeightGradient ? N : Dim.Rows;

    /// <summary>Columns of C.</summary>
    private int Width => Form == GemmForm.Forward ? N : K;

    private Dim DepthSize => Form switch { GemmForm.Forward => K, GemmForm.InputGradient => N, _ => Dim.Rows };

    private bool TransposesA => Form == GemmForm.WeightGradient;

    private bool TransposesB => Form != GemmForm.Forward;

    protected override void Write(KernelBuilder k)
    {
        k.RequireThreads(Geometry.Threads, minBlocksPerMultiprocessor: 1);
        var p = new Problem(k, this);
        WarpRoles.Split(
            k,
            initialise: () =>
            {
                p.A.Map.Prefetch();
                p.B.Map.Prefetch();
                p.C.Prefetch();
                p.Ring.Initialise();
            },
            ProducerRegisters,
            copyTiles: () => k.If(k.Elect(), () => Copy(p)),
            multiply: warp =>
            {
                k.SetMaxRegisters(Tile.MathRegisters, increases: true);
                Multiply(p, (warp >> 2) - 1);
            });
    }

    /// <summary>A tile of A and one of B for each step, as fast as stages become empty.</summary>
    private void Copy(Problem p)
    {
        var (k, at) = (p.K, p.Ring.Start());
        p.Tiles.ForEach(tile => k.For(0, p.Steps, step =>
        {
            at.AwaitEmpty();
            at.Full.ArriveExpecting(Bf16Operand.StageBytes(Tile.Rows + Tile.Columns));
            p.A.Load(at.Full, at.Stage, tile.First, step * Step);
            p.B.Load(at.Full, at.Stage, tile.Column * Tile.Columns, step * Step);
            at.Advance();
        }, nounroll: true));
    }

    /// <summary>The sums of 64 rows.</summary>
    private void Multiply(Problem p, S32 warpgroup)
    {
        var k = p.K;
        var at = p.Ring.Start();
        var shape = WgmmaShape.BF16(Tile.Columns) with { TransposesA = TransposesA, TransposesB = TransposesB };
        var sums = k.Vars<F32>(shape.Registers, 0f);
        var store = new TileStore(k, p.CTile, Tile.Rows, Tile.Columns, Out, warpgroup, Tile.Warpgroups);
        var (a, b) = (p.A.Descriptor(warpgroup * TileStore.WaveRows), p.B.Descriptor(0));

        p.Tiles.ForEach(tile =>
        {
            // Without any depth nothing else would write them.
            foreach (var sum in sums) sum.Value = 0f;
            k.For(0, p.Steps, step =>
            {
                at.AwaitFull();
                var (aStage, bStage) = (a.At(at.Stage, Bf16Operand.StageBytes(Tile.Rows)), b.At(at.Stage, Bf16Operand.StageBytes(Tile.Columns)));
                k.WgmmaFence();
                for (var part = 0; part < Step / Depth; part++) k.Wgmma(shape, sums, aStage + part * p.A.Next, bStage + part * p.B.Next, accumulates: true);
                k.WgmmaCommit();
                k.WgmmaWait(1);
                at.ReleasePrevious((k.LaneId == 0) & (step > 0));
                at.Advance();
            }, nounroll: true);
            k.WgmmaWait(0);
            at.ReleasePrevious((k.LaneId == 0) & (p.Steps > 0));
            store.Store(p.C, (_, e) => sums[e], 1, tile.First, tile.Column * Tile.Columns, [], Accumulates);
        });
        store.AwaitRead();
    }

    /// <summary>Parameters, shared memory, and which tiles there are.</summary>
    private sealed class Problem
    {
        public Problem(KernelBuilder k, Bf16Gemm kernel)
        {
            var tile = kernel.Tile;
            K = k;
            var (a, b, c, rows) = (k.TensorMapParam("a"), k.TensorMapParam(kernel.Parameters[1].Name), k.TensorMapParam("c"), k.S32Param("rows"));
            var stages = tile.Stages(kernel.Out);
            // Patterns of the swizzle repeat every 1024 bytes, and tiles have to start with one.
            A = new Bf16Operand(k, a, k.DynamicShared<U8>(stages * Bf16Operand.StageBytes(tile.Rows), align: 1024), tile.Rows, kernel.TransposesA);
            B = new Bf16Operand(k, b, k.DynamicShared<U8>(stages * Bf16Operand.StageBytes(tile.Columns), align: 1024), tile.Columns, kernel.TransposesB);
            C = c;
            CTile = k.DynamicShared<U8>(tile.Rows * tile.Columns * kernel.Out.Bytes(), align: 1024);
            // A lane of each math warp makes a stage empty.
            Ring = new StagePipeline(k, stages, fills: 1, releases: 4 * tile.Warpgroups);
            S32 Size(Dim dim) => dim.Constant is { } known ? checked((int)known) : rows;
            Steps = k.CeilDivide(Size(kernel.DepthSize), Step);
            var columns = (kernel.Width + tile.Columns - 1) / tile.Columns;
            Tiles = new BandScheduler(k, Size(kernel.Height), tile.Rows, columns, BandScheduler.BestBand(kernel.Blocks, tile.Rows, tile.Columns), null);
        }

        public KernelBuilder K { get; }

        public Bf16Operand A { get; }

        public Bf16Operand B { get; }

        public TensorMapParameter C { get; }

        public SharedPtr<U8> CTile { get; }

        public StagePipeline Ring { get; }

        public TileScheduler Tiles { get; }

        /// <summary>Of the depth.</summary>
        public S32 Steps { get; }
    }
}
