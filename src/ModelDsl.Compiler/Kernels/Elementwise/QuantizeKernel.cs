using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Elementwise;

/// <summary>Activations to E4M3 with one scale per 1 x 128 group; the last group of a row is what is left.</summary>
/// <remarks>
/// Two tiles per warp: a lane holds 4 elements of a group, or 8 where vectors are that wide, and 32 or 16 lanes share a group. Both
/// tiles are loaded before anything is done with one. Moves the row in; a byte per element and 4 per group out.
/// </remarks>
public sealed record QuantizeKernel(int Width, DType Io, ScaleRounding Scale) : Kernel
{
    public override string Name => $"quantize_w{Width}_{Io.Text()}{KernelNames.Quantized(Scale)}";

    public override ImmutableArray<KernelParameter> Parameters =>
        [KernelParameter.In("x", Io), QuantizedParameters.Q, QuantizedParameters.Scales, KernelParameter.Int("tokens")];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    private RowTiling Tiling => RowTiling.InPairs(Width, Io, grouped: true);

    protected override void Write(KernelBuilder k)
    {
        var x = ActivationPtr.Param(k, "x", Io);
        var q = k.GlobalPtrParam<U8>("q");
        var scales = k.GlobalPtrParam<F32>("scales");
        var row = BlockRow.Of(k, "tokens");

        var walk = RowWalk.OfGrid(k, Tiling);
        x = x.Row(row, Width).Plus(walk.Start);
        var values = Enumerable.Range(0, Tiling.Share).Select(tile => walk.Pieces(tile).Select(p => x.Load(p.Offset, Tiling.Vector, p.Inside)).ToArray()).ToArray();
        var quantizer = GroupQuantizer.Of(k, Tiling, walk, Scale, q, scales, row);
        for (var tile = 0; tile < Tiling.Share; tile++) quantizer.Store(tile, values[tile]);
    }
}
