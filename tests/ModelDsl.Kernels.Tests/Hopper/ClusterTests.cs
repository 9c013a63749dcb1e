using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;
using ModelDsl.Testing;

namespace ModelDsl.Kernels.Tests.Hopper;

/// <summary>What the builder says of clusters, as a kernel that runs: copies to both blocks of a pair, arrivals and stores in the other one, launches that overlap.</summary>
public class ClusterTests
{
    [Fact]
    public void Blocks_of_a_pair_share_copies_and_write_into_each_other()
    {
        var rows = Samples.Normal(1, Pairs.Rows * Pairs.Columns, DType.F32);
        using var run = new KernelRun(new Pairs()).Set("x", rows).Output("out", rows.Length).Launch(1);
        var expected = Enumerable.Range(0, rows.Length).Select(i =>
        {
            var (block, column) = (i / Pairs.Columns, i % Pairs.Columns);
            return rows[block / 2 * 2 * Pairs.Columns + column] + rows[(block / 2 * 2 + 1) * Pairs.Columns + column] + (10 * (1 - block % 2) + column);
        });
        Assert.Equal(expected, run.Floats("out"));
    }

    [PtxasFact]
    public void It_assembles() => Ptxas.AssembleClean(new Pairs().Emit(PtxTarget.Sm90a).ToText(), "sm_90a");

    /// <summary>Each block copies a row to both of its pair and leaves 10 · rank + lane in the other: out = both rows and what the other left.</summary>
    private sealed record Pairs : Kernel
    {
        public const int Rows = 4, Columns = 32;

        private const int TileBytes = 1024;

        public override string Name => "pairs";

        public override PtxTarget MinimumTarget => PtxTarget.Sm90;

        public override ImmutableArray<KernelParameter> Parameters =>
            [KernelParameter.In("x", DType.F32) with { Map = new TileMap(Rows, Columns, 1, Columns) }, KernelParameter.Out("out", DType.F32)];

        public override LaunchGeometry Geometry => new(Rows, Columns, 2 * TileBytes + Columns * sizeof(float) + sizeof(ulong));

        protected override void Write(KernelBuilder k)
        {
            k.RequireCluster(2);
            var (x, output) = (k.TensorMapParam("x"), k.GlobalPtrParam<F32>("out"));
            var tiles = k.DynamicShared<U8>(2 * TileBytes, align: 1024);
            var left = k.DynamicShared<F32>(Columns);
            var full = new Mbarrier(k, k.DynamicShared<B64>(1, align: 8));
            var (rank, other, first) = (k.ClusterRank, k.ClusterRank ^ 1, k.ThreadIdX == 0);
            k.AwaitEarlierKernels();
            k.LetNextKernelStart();
            k.If(first, () =>
            {
                full.Initialise(3);
                k.FenceBarrierInit();
                full.ArriveExpecting(2 * Columns * sizeof(float));
            });
            k.ClusterArrive();
            k.ClusterWait();
            k.If(first, () =>
            {
                x.LoadForCluster(tiles.AddBytes(rank * TileBytes), full, 3, 0, k.BlockIdX);
                full.ReleaseIn(rank);
                full.ArriveIn(other);
            });
            (k.InBlock(left, other) + k.ThreadIdX).Store(k.ToF32(rank * 10 + k.ThreadIdX));
            k.SyncWarp();
            full.Wait(0);
            k.ClusterArrive();
            k.ClusterWait();
            F32 Of(int tile) => tiles.AddBytes(tile * TileBytes).As<F32>().Load(k.ThreadIdX);
            output.Store(Of(0) + Of(1) + left.Load(k.ThreadIdX), k.BlockIdX * Columns + k.ThreadIdX);
        }
    }
}
