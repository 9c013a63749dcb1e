using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Cache;

/// <summary>The cached rows of one sequence, page by page, as contiguous rows: the latent part and the rotated key apart.</summary>
/// <remarks>
/// One block per row, one warp for a rank of 512: its three vectors are on their way together. Moves the row in and out once.
/// </remarks>
/// <param name="Page">Rows per page: row j of the sequence is cache row <c>pages[j / Page] * Page + j % Page</c>.</param>
/// <param name="Quantize">Writes the latent as 1 x 128 groups of E4M3 instead of activations.</param>
public sealed record CacheGatherKernel(int KvRank, int RopeDim, int Page, DType Io, ScaleRounding? Quantize) : Kernel
{
    /// <summary>Rows of the cache are <see cref="Fp8CacheRow"/>s, with latents widened to activations.</summary>
    public bool Fp8 { get; init; }

    public override string Name => $"cache_gather_c{KvRank}_r{RopeDim}_p{Page}_{Io.Text()}{KernelNames.If(Fp8, "fp8")}{KernelNames.Quantized(Quantize)}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("cache", Fp8 ? DType.E4M3 : Io),
        KernelParameter.In("pages", DType.I32),
        .. Quantize is null ? [KernelParameter.Out("latent", Io)] : new[] { QuantizedParameters.Q, QuantizedParameters.Scales },
        KernelParameter.Out("k_rope", Io),
        KernelParameter.Int("context"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Context, Tiling.Threads);

    private RowTiling Tiling => RowTiling.WholeRow(KvRank, Io, grouped: Fp8 || Quantize is not null, RopeDim);

    private Fp8CacheRow Fp8Row => new(KvRank, RopeDim);

    protected override void Write(KernelBuilder k)
    {
        var cache = k.GlobalPtrParam<U8>("cache");
        var pages = k.GlobalPtrParam<S32>("pages");
        var latent = Quantize is null ? ActivationPtr.Param(k, "latent", Io) : null;
        var q = Quantize is null ? null : k.GlobalPtrParam<U8>("q");
        var scales = Quantize is null ? null : k.GlobalPtrParam<F32>("scales");
        var key = ActivationPtr.Param(k, "k_rope", Io);
        var row = BlockRow.Of(k, "context");
        cache = cache.Row(pages[row.Number / Page] * Page + row.Number % Page, Fp8 ? Fp8Row.Bytes : (KvRank + RopeDim) * Io.Bytes());

        var walk = RowWalk.OfBlock(k, Tiling);
        var bytes = Tiling.Vector * Io.Bytes();
        var keyVectors = RopeDim / Tiling.Vector;
        var keyParts = Enumerable.Range(0, (keyVectors + Tiling.Threads - 1) / Tiling.Threads).Select(i => i * Tiling.Threads).Select(first => (
            At: first * Tiling.Vector,
            Inside: keyVectors - first >= Tiling.Threads ? (Pred)true : k.ThreadIdX < keyVectors - first)).ToArray();
        var keyFrom = new ActivationPtr(k, Io, cache.AddBytes(Fp8 ? Fp8Row.RopeOffset : KvRank * Io.Bytes())).Plus(k.ThreadIdX * Tiling.Vector);
        var keys = keyParts.Select(part => keyFrom.Plus(part.At).Bytes.LoadBytes(bytes, part.Inside)).ToArray();
        CopyLatent();
        var keyTo = key.Row(row, RopeDim).Plus(k.ThreadIdX * Tiling.Vector);
        for (var i = 0; i < keys.Length; i++) keyTo.Plus(keyParts[i].At).Bytes.StoreBytes(keys[i], keyParts[i].Inside);

        void CopyLatent()
        {
            var from = new ActivationPtr(k, Io, cache).Plus(walk.Start);
            F32[] Read(RowPiece p) => Fp8 ? from.Rounded(Widened(k, cache, walk.Start, p)) : from.Load(p.Offset, Tiling.Vector, p.Inside);
            if (Quantize is { } rounding)
            {
                var quantizer = GroupQuantizer.Of(k, Tiling, walk, rounding, q!, scales!, row);
                for (var tile = 0; tile < Tiling.TilesPerWarp; tile++) quantizer.Store(tile, [.. walk.Pieces(tile).Select(Read)]);
                return;
            }

            var to = latent!.Row(row, KvRank).Plus(walk.Start);
            var pieces = walk.AllPieces;
            if (Fp8)
            {
                var widened = pieces.Select(Read).ToArray();
                for (var i = 0; i < pieces.Count; i++) to.Store(pieces[i].Offset, widened[i], pieces[i].Inside);
                return;
            }
            var values = pieces.Select(p => from.Plus(p.Offset).Bytes.LoadBytes(bytes, p.Inside)).ToArray();
            for (var i = 0; i < pieces.Count; i++) to.Plus(pieces[i].Offset).Bytes.StoreBytes(values[i], pieces[i].Inside);
        }
    }

    /// <summary>Codes times the scale of their group; a piece is in one.</summary>
    private F32[] Widened(KernelBuilder k, GlobalPtr<U8> row, S32 start, RowPiece piece)
    {
        var scale = row.AddBytes(KvRank).As<F32>().LoadOr(piece.Inside, 0f, (start + piece.Offset) / RowTiling.Group);
        return [.. CodeLoad.Read(k, (row + start).AddBytes(piece.Offset), Tiling.Vector, piece.Inside).Select(code => code * scale)];
    }
}
