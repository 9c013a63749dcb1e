using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Kernels.Norm;
using ModelDsl.Compiler.Kernels.Rope;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Cache;

/// <summary>
/// What MLA caches of a token: the RMS-normalised latent, then the rotated key that all heads share, written to row
/// <c>slots[t]</c> of the cache.
/// </summary>
/// <remarks>
/// Tiled like RMSNorm: one warp for a rank of 512, where four of them with a token each make a block, or a block per token. Moves the row in and out once, and two half rows of tables.
/// </remarks>
/// <param name="KvRank">Width of the latent; <c>weight</c> covers it and nothing else.</param>
/// <param name="RopeDim">Width of the rotated key next to it.</param>
public sealed record LatentCacheKernel(int KvRank, int RopeDim, double Epsilon, DType Io) : Kernel
{
    /// <summary>Rows of the cache are <see cref="Fp8CacheRow"/>s, with scales rounded like this, instead of KvRank + RopeDim activations.</summary>
    public ScaleRounding? Fp8 { get; init; }

    public override string Name => $"latent_cache_c{KvRank}_r{RopeDim}_e{KernelNames.Of(Epsilon)}_{Io.Text()}{KernelNames.Quantized(Fp8)}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("kv", Io),
        KernelParameter.In("weight", DType.F32),
        KernelParameter.In("cos", DType.F32),
        KernelParameter.In("sin", DType.F32),
        KernelParameter.In("positions", DType.I32),
        KernelParameter.In("slots", DType.I32),
        KernelParameter.InOut("cache", Fp8 is null ? Io : DType.E4M3),
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(Dim.CeilDiv(Dim.Rows, TokensOfBlock), TokensOfBlock * Tiling.Threads);

    /// <summary>As many blocks as there are tokens would take longer to start than the tokens take.</summary>
    private int TokensOfBlock => WarpPerToken ? 4 : 1;

    private bool WarpPerToken => Tiling.Warps == 1;

    private RowTiling Tiling => RowTiling.WholeRow(KvRank, Io, grouped: Fp8 is not null, RopeDim);

    private Fp8CacheRow Fp8Row => new(KvRank, RopeDim);

    protected override void Write(KernelBuilder k)
    {
        var kv = ActivationPtr.Param(k, "kv", Io);
        var weight = k.GlobalPtrParam<F32>("weight");
        var tables = RotaryTables.Param(k, RopeDim);
        var positions = k.GlobalPtrParam<S32>("positions");
        var slots = k.GlobalPtrParam<S32>("slots");
        var cache = k.GlobalPtrParam<U8>("cache");
        var row = WarpPerToken ? BlockRow.OfWarp(k, "tokens", TokensOfBlock) : BlockRow.Of(k, "tokens");
        var (position, slot) = (positions[row], slots[row]);
        kv = kv.Row(row, KvRank + RopeDim);
        cache = cache.Row(slot, Fp8 is null ? (KvRank + RopeDim) * Io.Bytes() : Fp8Row.Bytes);

        k.Comment("load the latent; the key is rotated while it is on its way");
        var (walk, thread) = WarpPerToken ? (RowWalk.OfWarp(k, Tiling), k.LaneId) : (RowWalk.OfBlock(k, Tiling), k.ThreadIdX);
        var pieces = walk.AllPieces;
        var from = kv.Plus(walk.Start);
        weight += walk.Start;
        var values = pieces.Select(p => from.Load(p.Offset, Tiling.Vector, p.Inside)).ToArray();
        var weights = pieces.Select(p => weight.AddBytes(4L * p.Offset).LoadManyOr(p.Inside, Tiling.Vector, LoadHint.ReadOnly)).ToArray();

        k.Comment("rotated key");
        var key = Fp8 is null ? new ActivationPtr(k, Io, cache) : new ActivationPtr(k, DType.BF16, cache.AddBytes(Fp8Row.RopeOffset));
        var pairs = RopeDim / 2;
        for (var first = 0; first < pairs; first += Tiling.Threads)
        {
            var pair = thread + first;
            var inside = pairs - first >= Tiling.Threads ? true : thread < pairs - first;
            tables.Rotate(position, pair, kv.Plus(pair * 2), key.Plus(pair * 2), [KvRank], 2, Math.Min(2, Tiling.Vector), inside, Fp8 is null ? null : 0);
        }

        k.Comment("latent");
        var factor = RmsFactor.Of(k, values, Tiling.Threads, KvRank, Epsilon);
        WriteLatent(k, cache, walk, [.. values.Select((v, i) => v.Zip(weights[i], (a, w) => a * factor * w).ToArray())]);
    }

    private void WriteLatent(KernelBuilder k, GlobalPtr<U8> cache, RowWalk walk, F32[][] latent)
    {
        var activations = new ActivationPtr(k, Io, cache).Plus(walk.Start);
        if (Fp8 is { } rounding)
        {
            var quantizer = new GroupQuantizer(k, Tiling, walk, rounding, cache + walk.Start, cache.AddBytes(KvRank).As<F32>(), 1);
            for (var tile = 0; tile < Tiling.TilesPerWarp; tile++)
                quantizer.Store(tile, [.. latent.Skip(tile * Tiling.VectorsPerLane).Take(Tiling.VectorsPerLane).Select(activations.Rounded)]);
            return;
        }
        var pieces = walk.AllPieces;
        for (var i = 0; i < pieces.Count; i++) activations.Store(pieces[i].Offset, latent[i], pieces[i].Inside);
    }
}
