namespace ModelDsl.Compiler.Specs;

/// <summary>How many weights a model has, by what becomes of them when it is spread over GPUs.</summary>
/// <param name="Attention">Attention and the norms of all layers.</param>
/// <param name="Dense">Dense feed-forwards, shared experts, router gates.</param>
/// <param name="RoutedExperts">Routed experts of all layers.</param>
/// <param name="Embedding">Embedding and output head.</param>
/// <param name="Mtp">MTP modules without the copies of embedding and head.</param>
public sealed record ParameterCounts(double Attention, double Dense, double RoutedExperts, double Embedding, double Mtp)
{
    public double Total => Attention + Dense + RoutedExperts + Embedding;

    public static ParameterCounts Of(ModelSpec model)
    {
        double attention = model.Hidden, dense = 0, routed = 0;
        foreach (var layer in model.Layers)
        {
            attention += AttentionOf(model);
            var (shared, experts) = FeedForwardOf(model, layer);
            dense += shared;
            routed += experts;
        }

        var mtp = 0.0;
        if (model.MtpDepth > 0)
        {
            var (shared, experts) = FeedForwardOf(model, model.Layers[model.Layers.Count - 1]);
            mtp = model.MtpDepth * (AttentionOf(model) + shared + experts + 2.0 * model.Hidden * model.Hidden + 3.0 * model.Hidden);
        }
        return new ParameterCounts(attention, dense, routed, 2.0 * model.Vocabulary * model.Hidden, mtp);
    }

    /// <summary>Matrices and latent norms of MLA, and the two norms of a layer.</summary>
    private static double AttentionOf(ModelSpec model)
    {
        var mla = model.Attention;
        double hidden = model.Hidden, heads = mla.Heads;
        var queries = mla.QRank is { } rank ? hidden * rank + rank + rank * heads * mla.QkDim : hidden * heads * mla.QkDim;
        var latent = hidden * mla.CacheWidth + mla.KvRank + mla.KvRank * heads * (mla.NopeDim + mla.VDim);
        return queries + latent + heads * mla.VDim * hidden + 2 * hidden;
    }

    private static (double Shared, double Routed) FeedForwardOf(ModelSpec model, LayerSpec layer)
    {
        double hidden = model.Hidden;
        return layer.FeedForward switch
        {
            DenseSpec dense => (3 * hidden * dense.Width, 0),
            MoeSpec moe =>
                (3 * hidden * moe.Width * moe.Shared + hidden * moe.Routed + (moe.HasSelectionBias ? moe.Routed : 0),
                3 * hidden * moe.Width * moe.Routed),
            _ => (0, 0),
        };
    }
}
