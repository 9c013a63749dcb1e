using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Moe;

/// <summary><c>out[t] = shared[t] + sum_j weights[t,j] * y[row_of[t,j]]</c>, added up in FP32 in the order of j.</summary>
/// <remarks>
/// One vector per thread; the loads of all experts are on their way together. Moves Active rows (and the shared one) in, one out.
/// </remarks>
/// <param name="Active">Experts per token.</param>
/// <param name="Shared">There is an output of shared experts to start from.</param>
public sealed record CombineKernel(int Width, int Active, DType Io, bool Shared) : Kernel
{
    public override string Name => $"combine_w{Width}_k{Active}_{Io.Text()}" + KernelNames.If(Shared, "shared");

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("y", Io),
        KernelParameter.In("row_of", DType.I32),
        KernelParameter.In("weights", DType.F32),
        .. Shared ? [KernelParameter.In("shared", Io)] : Array.Empty<KernelParameter>(),
        KernelParameter.Out("out", Io),
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    private RowTiling Tiling => RowTiling.Streaming(Width, Io, grouped: false);

    protected override void Write(KernelBuilder k)
    {
        var y = ActivationPtr.Param(k, "y", Io);
        var rowOf = k.GlobalPtrParam<S32>("row_of");
        var weights = k.GlobalPtrParam<F32>("weights");
        var shared = Shared ? ActivationPtr.Param(k, "shared", Io) : null;
        var output = ActivationPtr.Param(k, "out", Io);
        var token = BlockRow.Of(k, "tokens");

        var rows = rowOf.Row(token, Active).LoadMany(Active, aligned: Active);
        var factors = weights.Row(token, Active).LoadMany(Active, aligned: Active);
        var walk = RowWalk.OfGrid(k, Tiling);
        var inside = walk.Pieces(0).Single().Inside;
        var start = shared?.Row(token, Width).Plus(walk.Start).Load(0, Tiling.Vector, inside);
        y = y.Plus(walk.Start);
        var values = rows.Select(row => y.Row(row, Width).Load(0, Tiling.Vector, inside)).ToArray();

        var sums = Enumerable.Range(0, Tiling.Vector).Select(i =>
        {
            var sum = start?[i] ?? 0f;
            for (var j = 0; j < Active; j++) sum += factors[j] * values[j][i];
            return sum;
        });
        output.Row(token, Width).Plus(walk.Start).Store(0, [.. sums], inside);
    }
}
