namespace ModelDsl.Compiler.Specs;

/// <summary>What a GPU of a serving unit holds, bytes.</summary>
public static class ServeMemory
{
    /// <summary>Weights on the fullest GPU, by what they belong to. Without the MTP module where nothing is drafted.</summary>
    public static IReadOnlyList<(string Name, double Bytes)> Weights(ServeSpec serve, ServePhase phase)
    {
        var model = serve.Model;
        var counts = ParameterCounts.Of(model);
        var gemm = Bytes(serve.Precision.Gemm.Format);
        var (tensor, ranks) = (phase.Attention.Tensor, phase.Experts.Expert);
        double PerRank(MoeSpec moe) => Math.Ceiling((moe.Routed + phase.Experts.Redundant) / (double)ranks) * 3.0 * model.Hidden * moe.Width;
        var experts = model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().Sum(PerRank);
        var weights = new List<(string, double)>
        {
            ("routed experts", experts * gemm),
            ("attention", counts.Attention * gemm / tensor),
            ("dense layers and shared experts", counts.Dense * gemm),
            ("embedding and head", counts.Embedding * Bytes(NumberFormat.Bf16)),
        };
        if (phase.Draft > 0 && model.MtpDepth > 0)
        {
            var routed = model.Layers[model.Layers.Count - 1].FeedForward is MoeSpec moe ? PerRank(moe) : 0;
            var all = model.Layers[model.Layers.Count - 1].FeedForward is MoeSpec own ? 3.0 * model.Hidden * own.Width * own.Routed : 0;
            weights.Add(("MTP module", (counts.Mtp - model.MtpDepth * (all - routed)) * gemm));
        }
        return weights;
    }

    /// <summary>Of all layers. Every rank of a tensor-parallel group keeps the whole latent: it has no heads to divide.</summary>
    public static double CacheBytesPerToken(ServeSpec serve) =>
        serve.Model.Layers.Count * CacheRowBytes(serve.Model.Attention, serve.KvCache.Format);

    /// <summary>Of a token in a layer; FP8 has scales beside the latents, and keys in BF16.</summary>
    private static double CacheRowBytes(MlaSpec mla, NumberFormat format) => format == NumberFormat.E4M3 && Fp8CacheRow.Fits(mla.KvRank, mla.RopeDim)
        ? new Fp8CacheRow(mla.KvRank, mla.RopeDim).Bytes
        : mla.CacheWidth * Bytes(format);

    /// <summary>A value alone, without scales.</summary>
    public static double Bytes(NumberFormat format) => format switch
    {
        NumberFormat.Fp32 => 4,
        NumberFormat.Bf16 or NumberFormat.Fp16 => 2,
        NumberFormat.E5M6 => 1.5,
        NumberFormat.LogFmt10 => 1.25,
        _ => 1,
    };
}
