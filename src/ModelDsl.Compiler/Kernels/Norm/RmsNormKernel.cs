using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Kernels.Hopper;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Norm;

/// <summary><c>out = x / sqrt(mean(x²) + epsilon) * weight</c> over rows, with the residual addition in front of it if asked for.</summary>
/// <remarks>
/// One block per row, which it holds in registers, at most 32 elements per lane: 7 warps for 7168, one up to 1024. Moves every byte
/// once: <c>x</c>, <c>delta</c> and <c>weight</c> in (weights stay in the caches), <c>sum</c>, <c>out</c>, codes and scales out; about
/// 6 FLOPs per element.
/// </remarks>
/// <param name="Width">Elements normalised per row.</param>
/// <param name="RowStride">Elements from one row of <c>x</c> to the next; all other tensors are contiguous.</param>
/// <param name="Residual">The normalised row is <c>sum = io(x + delta)</c>, which is written too; <c>sum</c> may be <c>x</c>.</param>
/// <param name="WriteOut">Writes the result in the activation type.</param>
/// <param name="Quantize">Writes the result as 1 x 128 groups of E4M3.</param>
public sealed record RmsNormKernel(
    int Width, int RowStride, double Epsilon, DType Io, bool Residual, bool WriteOut, ScaleRounding? Quantize) : Kernel
{
    private const int MostResidents = 5, FewestStreamed = 2048, NarrowestStreamed = 2048, MostStreamBytes = 96 * 1024;

    /// <summary>Writes what each row was multiplied by, f32[T]: what <see cref="Transposed.NormalizedSource"/> and gradients need of it.</summary>
    public bool WriteFactors { get; init; }

    public override string Name =>
        $"rms_norm_w{Width}_s{RowStride}_e{KernelNames.Of(Epsilon)}_{Io.Text()}"
        + KernelNames.If(Residual, "residual") + KernelNames.If(WriteOut, "out") + KernelNames.If(WriteFactors, "factors") + KernelNames.Quantized(Quantize) + KernelNames.If(Streams, "stream");

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("x", Io),
        .. Residual ? [KernelParameter.In("delta", Io)] : Array.Empty<KernelParameter>(),
        KernelParameter.In("weight", DType.F32),
        .. Residual ? [KernelParameter.Out("sum", Io)] : Array.Empty<KernelParameter>(),
        .. WriteOut ? [KernelParameter.Out("out", Io)] : Array.Empty<KernelParameter>(),
        .. WriteFactors ? [KernelParameter.Out("factors", DType.F32)] : Array.Empty<KernelParameter>(),
        .. Quantize is null ? Array.Empty<KernelParameter>() : [QuantizedParameters.Q, QuantizedParameters.Scales],
        KernelParameter.Int("tokens"),
    ];

    /// <summary>For many rows, without a residual: blocks work through several, the next one under way beside the one before.</summary>
    public bool Streams { get; init; }

    public override LaunchGeometry Geometry =>
        Streams ? new(Dim.Min(Dim.Rows, HopperGpu.Multiprocessors * Residents), Tiling.Threads, StreamBytes) : new(Dim.Rows, Tiling.Threads);

    /// <summary>Blocks on a multiprocessor.</summary>
    private int Residents => Math.Min(MostResidents, HopperGpu.SharedBytesOfBlock / StreamBytes);

    private int StreamBytes => RowStream.SharedBytes(Tiling, Io);

    private RowTiling Tiling => RowTiling.WholeRow(Width, Io, grouped: Quantize is not null, RowStride);

    /// <summary>
    /// The one for so many rows: streaming from some rows for each block on, where rows come in whole vectors. With a residual there is memory enough under way without it: on an H200 that lost 3 to 7 % by it,
    /// while a plain norm with quantisation won a third.
    /// </summary>
    public RmsNormKernel For(long rows) =>
        this with { Streams = !Residual && rows >= FewestStreamed && Width >= NarrowestStreamed && RowStream.Fits(Tiling, Io) && StreamBytes <= MostStreamBytes };

    protected override void Write(KernelBuilder k)
    {
        var x = ActivationPtr.Param(k, "x", Io);
        var delta = Residual ? ActivationPtr.Param(k, "delta", Io) : null;
        var outputs = new Outputs(
            k.GlobalPtrParam<F32>("weight"), Residual ? ActivationPtr.Param(k, "sum", Io) : null, WriteOut ? ActivationPtr.Param(k, "out", Io) : null,
            WriteFactors ? k.GlobalPtrParam<F32>("factors") : null,
            Quantize is null ? null : k.GlobalPtrParam<U8>("q"), Quantize is null ? null : k.GlobalPtrParam<F32>("scales"));
        if (Streams)
        {
            var all = RowWalk.OfBlock(k, Tiling);
            new RowStream(k, Tiling, all, x, RowStride).ForEach("tokens", (row, load) => Normalise(k, all, row, x, outputs, [.. all.AllPieces.Select(load)], null));
            return;
        }

        var row = BlockRow.Of(k, "tokens");
        var walk = RowWalk.OfBlock(k, Tiling);
        k.Comment("load everything at once, weights to L2 only: their registers would cost a third of the warps that load");
        x = x.Row(row, RowStride).Plus(walk.Start);
        delta = delta?.Row(row, Width).Plus(walk.Start);
        var values = walk.AllPieces.Select(p => x.Load(p.Offset, Tiling.Vector, p.Inside)).ToArray();
        var deltas = delta is null ? null : walk.AllPieces.Select(p => delta.Load(p.Offset, Tiling.Vector, p.Inside)).ToArray();
        foreach (var piece in walk.AllPieces) k.PrefetchL2((outputs.Weight + walk.Start).AddBytes(4L * piece.Offset).As<U8>(), piece.Inside);
        Normalise(k, walk, row, x, outputs, values, deltas);
    }

    /// <param name="values">Of the row, by piece.</param>
    /// <param name="deltas">What is added to them, if anything.</param>
    private void Normalise(KernelBuilder k, RowWalk walk, BlockRow row, ActivationPtr x, Outputs to, F32[][] values, F32[][]? deltas)
    {
        var pieces = walk.AllPieces;
        var weight = to.Weight + walk.Start;
        if (to.Sum is not null)
        {
            k.Comment("residual");
            var sum = to.Sum.Row(row, Width).Plus(walk.Start);
            for (var i = 0; i < pieces.Count; i++)
            {
                var added = values[i].Zip(deltas![i], (a, b) => a + b).ToArray();
                sum.Store(pieces[i].Offset, added, pieces[i].Inside);
                values[i] = sum.Rounded(added);
            }
        }

        k.Comment("one over the root mean square");
        var factor = RmsFactor.Of(k, values, Tiling.Threads, Width, Epsilon);
        to.Factors?.StoreIf(k.ThreadIdX == 0, factor, row);
        var weights = pieces.Select(p => weight.AddBytes(4L * p.Offset).LoadManyOr(p.Inside, Tiling.Vector, LoadHint.ReadOnly)).ToArray();
        var results = values.Select((v, i) => v.Zip(weights[i], (a, w) => a * factor * w).ToArray()).ToArray();
        for (var i = 0; i < pieces.Count; i++)
            to.Out?.Row(row, Width).Plus(walk.Start).Store(pieces[i].Offset, results[i], pieces[i].Inside);
        if (Quantize is not { } rounding) return;

        k.Comment("groups of 128");
        var quantizer = GroupQuantizer.Of(k, Tiling, walk, rounding, to.Q!, to.Scales!, row);
        for (var tile = 0; tile < Tiling.TilesPerWarp; tile++)
            quantizer.Store(tile, [.. results.Skip(tile * Tiling.VectorsPerLane).Take(Tiling.VectorsPerLane).Select(x.Rounded)]);
    }

    private sealed record Outputs(GlobalPtr<F32> Weight, ActivationPtr? Sum, ActivationPtr? Out, GlobalPtr<F32>? Factors, GlobalPtr<U8>? Q, GlobalPtr<F32>? Scales);
}
