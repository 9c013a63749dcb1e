using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Elementwise;

/// <summary><c>silu(x[:, 0:W]) * x[:, UpOffset:UpOffset+W]</c>: the gate comes first, <c>silu(z) = z / (1 + exp(-z))</c>.</summary>
/// <remarks>
/// One tile per warp, as the plain or the quantising store wants it. Moves two elements in and one out per result.
/// </remarks>
/// <param name="Width">Elements of a result row.</param>
/// <param name="UpOffset">Where the second factor starts within a row of <c>x</c>.</param>
/// <param name="RowStride">Elements from one row of <c>x</c> to the next.</param>
/// <param name="Quantize">Writes 1 x 128 groups of E4M3 instead of activations.</param>
public sealed record SwiGluKernel(int Width, int UpOffset, int RowStride, DType Io, ScaleRounding? Quantize) : Kernel
{
    private const float Log2E = 1.442695041f;

    public override string Name => $"swiglu_w{Width}_u{UpOffset}_s{RowStride}_{Io.Text()}{KernelNames.Quantized(Quantize)}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("x", Io),
        .. Quantize is null ? [KernelParameter.Out("out", Io)] : new[] { QuantizedParameters.Q, QuantizedParameters.Scales },
        KernelParameter.Int("rows"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.BlocksPerRow, 1, Tiling.Threads);

    private RowTiling Tiling => RowTiling.Streaming(Width, Io, grouped: Quantize is not null, UpOffset, RowStride);

    protected override void Write(KernelBuilder k)
    {
        var x = ActivationPtr.Param(k, "x", Io);
        var output = Quantize is null ? ActivationPtr.Param(k, "out", Io) : null;
        var q = Quantize is null ? null : k.GlobalPtrParam<U8>("q");
        var scales = Quantize is null ? null : k.GlobalPtrParam<F32>("scales");
        var row = BlockRow.Of(k, "rows");

        var walk = RowWalk.OfGrid(k, Tiling);
        var pieces = walk.Pieces(0);
        x = x.Row(row, RowStride).Plus(walk.Start);
        var gates = pieces.Select(p => x.Load(p.Offset, Tiling.Vector, p.Inside)).ToArray();
        var ups = pieces.Select(p => x.Load(UpOffset + p.Offset, Tiling.Vector, p.Inside)).ToArray();
        var results = gates.Zip(ups, (g, u) => g.Zip(u, (a, b) => Silu(k, a) * b).ToArray()).ToArray();

        if (Quantize is { } rounding)
            GroupQuantizer.Of(k, Tiling, walk, rounding, q!, scales!, row).Store(0, [.. results.Select(x.Rounded)]);
        else
            output!.Row(row, Width).Plus(walk.Start).Store(0, results.Single(), pieces.Single().Inside);
    }

    /// <summary>The error of the approximate exponential and reciprocal is below 1e-6 of the result.</summary>
    internal static F32 Silu(KernelBuilder k, F32 z) => z * k.Reciprocal(k.Exp2(z * -Log2E) + 1f);
}
