using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Hopper;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Cli.Benchmarking;

/// <summary>
/// Products of the same tiles in shared memory over and over: what the tensor cores do at most, at the clock that they then have. Two warpgroups, each 64 x 256 by
/// <see cref="Products"/> products a turn.
/// </summary>
/// <param name="Type">E4M3 or BF16.</param>
internal sealed record MatrixRate(DType Type, int Turns) : Kernel
{
    private const int Warpgroups = 2, Rows = 64, Columns = 256, RowBytes = 128, Products = 4, ProductBytes = 32;

    public override string Name => $"matrix_rate_{Type.Text()}_{Turns}";

    public override PtxTarget MinimumTarget => PtxTarget.Sm90a;

    public override ImmutableArray<KernelParameter> Parameters => [KernelParameter.Out("out", DType.F32)];

    public override LaunchGeometry Geometry => new(Dim.Rows, Warpgroups * 128, (Warpgroups * Rows + Columns) * RowBytes);

    public double FlopsOfBlock => 2.0 * Warpgroups * Rows * Columns * Products * (ProductBytes / Type.Bytes()) * Turns;

    protected override void Write(KernelBuilder k)
    {
        // What any bits make of it: finite, below 2, in either format.
        const int Finite = unchecked((int)0xBFBFBFBF);
        var output = k.GlobalPtrParam<F32>("out");
        var tiles = k.DynamicShared<S32>((Warpgroups * Rows + Columns) * RowBytes / sizeof(uint), align: 1024);
        k.For(k.ThreadIdX, (Warpgroups * Rows + Columns) * RowBytes / sizeof(uint), Warpgroups * 128, i => tiles.Store((i * 747796405 + 1) & Finite, i));
        k.FenceAsyncProxy();
        k.SyncThreads();
        var shape = Type == DType.BF16 ? WgmmaShape.BF16(Columns) : WgmmaShape.E4M3(Columns);
        var sums = k.Vars<F32>(shape.Registers, 0f);
        var a = k.TileDescriptor(tiles.AddBytes((k.WarpId >> 2) * (Rows * RowBytes)), TileSwizzle.Bytes128, 8 * RowBytes);
        var b = k.TileDescriptor(tiles.AddBytes(Warpgroups * Rows * RowBytes), TileSwizzle.Bytes128, 8 * RowBytes);
        k.WgmmaFence();
        k.For(0, Turns, _ =>
        {
            for (var product = 0; product < Products; product++) k.Wgmma(shape, sums, a + product * ProductBytes, b + product * ProductBytes, accumulates: true);
            k.WgmmaCommit();
            k.WgmmaWait(1);
        }, nounroll: true);
        k.WgmmaWait(0);
        output.Store(sums[0], k.BlockIdX * (Warpgroups * 128) + k.ThreadIdX);
    }
}
