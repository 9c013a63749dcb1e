using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Kernels.Cache;

/// <summary>The cached rows of one sequence, page by page, as contiguous rows: the latent part and the rotated key apart.</summary>
/// <param name="Page">Rows per page: row j of the sequence is cache row <c>pages[j / Page] * Page + j % Page</c>.</param>
/// <param name="Quantize">Writes the latent as 1 x 128 groups of E4M3 instead of activations.</param>
public sealed record CacheGatherKernel(int KvRank, int RopeDim, int Page, DType Io, ScaleRounding? Quantize) : Kernel
{
    public override string Name => $"cache_gather_c{KvRank}_r{RopeDim}_p{Page}_{Io.Text()}{KernelNames.Quantized(Quantize)}";

    public override ImmutableArray<KernelParameter> Parameters =>
    [
        KernelParameter.In("cache", Io),
        KernelParameter.In("pages", DType.I32),
        .. Quantize is null ? [KernelParameter.Out("latent", Io)] : new[] { QuantizedParameters.Q, QuantizedParameters.Scales },
        KernelParameter.Out("k_rope", Io),
        KernelParameter.Int("context"),
    ];

    public override LaunchGeometry Geometry => new(Dim.Context, Tiling.Threads);

    private RowTiling Tiling => RowTiling.WholeRow(KvRank, Io, grouped: Quantize is not null, RopeDim);
}
