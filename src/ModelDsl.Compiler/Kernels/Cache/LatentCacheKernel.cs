using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;

namespace ModelDsl.Compiler.Kernels.Cache;

/// <summary>
/// What MLA caches of a token: the RMS-normalised latent, then the rotated key that all heads share, written to row
/// <c>slots[t]</c> of the cache.
/// </summary>
/// <param name="KvRank">Width of the latent; <c>weight</c> covers it and nothing else.</param>
/// <param name="RopeDim">Width of the rotated key next to it.</param>
public sealed record LatentCacheKernel(int KvRank, int RopeDim, double Epsilon, DType Io) : Kernel
{
    public override string Name => $"latent_cache_c{KvRank}_r{RopeDim}_e{KernelNames.Of(Epsilon)}_{Io.Text()}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("kv", Io),
        KernelParameter.In("weight", DType.F32),
        KernelParameter.In("cos", DType.F32),
        KernelParameter.In("sin", DType.F32),
        KernelParameter.In("positions", DType.I32),
        KernelParameter.In("slots", DType.I32),
        KernelParameter.InOut("cache", Io),
        KernelParameter.Int("tokens"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Rows, Tiling.Threads);

    private RowTiling Tiling => RowTiling.WholeRow(KvRank, Io, grouped: false, RopeDim);
}
