using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Specs;

/// <summary>A decoder-only model in the shape of DeepSeek-V3: pre-norm blocks of MLA and a dense or MoE feed-forward.</summary>
/// <param name="Vocabulary">Rows of the embedding and of the output head (<c>vocab_size</c>).</param>
/// <param name="Hidden">Width of the residual stream (<c>hidden_size</c>).</param>
/// <param name="NormEpsilon">Epsilon of every RMSNorm over the residual stream (<c>rms_norm_eps</c>).</param>
/// <param name="InitStd">Standard deviation of the initial weights; used by training only.</param>
/// <param name="Layers">One entry per layer, first to last.</param>
/// <param name="MtpDepth">Number of multi-token-prediction modules (<c>num_nextn_predict_layers</c>).</param>
/// <param name="Context">Longest sequence in tokens (<c>max_position_embeddings</c>).</param>
public sealed record ModelSpec(
    string Name,
    int Vocabulary,
    int Hidden,
    double NormEpsilon,
    double InitStd,
    MlaSpec Attention,
    EquatableArray<LayerSpec> Layers,
    int MtpDepth,
    int Context,
    Origin Origin);

/// <summary>Multi-head latent attention (V3 report, section 2.1.1).</summary>
/// <param name="QRank">Width of the query latent (<c>q_lora_rank</c>); null: queries are not compressed.</param>
/// <param name="KvRank">Width of the cached latent (<c>kv_lora_rank</c>).</param>
/// <param name="NopeDim">Per-head width of the part without position (<c>qk_nope_head_dim</c>).</param>
/// <param name="RopeDim">Width of the rotated part, one key shared by all heads (<c>qk_rope_head_dim</c>); even.</param>
/// <param name="VDim">Per-head width of values (<c>v_head_dim</c>).</param>
public sealed record MlaSpec(int Heads, int? QRank, int KvRank, int NopeDim, int RopeDim, int VDim, RopeSpec Rope, Origin Origin)
{
    /// <summary>Per-head width of a query or key: part without position, then the rotated part.</summary>
    public int QkDim => NopeDim + RopeDim;

    /// <summary>Values cached per token and layer: the normalised latent, then the rotated key.</summary>
    public int CacheWidth => KvRank + RopeDim;
}

/// <param name="Theta">Base of the rotary frequencies.</param>
public sealed record RopeSpec(double Theta, YarnSpec? Yarn, Origin Origin);

/// <summary>YaRN context extension (arXiv 2309.00071) as DeepSeek configures it.</summary>
/// <param name="OriginalTokens">Context before extension (<c>original_max_position_embeddings</c>).</param>
public sealed record YarnSpec(
    double Factor, int OriginalTokens, double BetaFast, double BetaSlow, double Mscale, double MscaleAllDim, Origin Origin);

public sealed record LayerSpec(FeedForwardSpec FeedForward, Origin Origin);

/// <summary>What follows attention in a layer: <see cref="DenseSpec"/> or <see cref="MoeSpec"/>.</summary>
public abstract record FeedForwardSpec(Origin Origin);

/// <summary>One SwiGLU of the given width (<c>intermediate_size</c>).</summary>
public sealed record DenseSpec(int Width, Origin Origin) : FeedForwardSpec(Origin);

/// <summary>DeepSeekMoE (V3 report, section 2.1.2).</summary>
/// <param name="Routed">Routed experts (<c>n_routed_experts</c>).</param>
/// <param name="Shared">Shared experts, fused into one SwiGLU of width <c>Shared * Width</c>; 0 is allowed.</param>
/// <param name="Active">Routed experts per token (<c>num_experts_per_tok</c>).</param>
/// <param name="Width">Width of one expert (<c>moe_intermediate_size</c>).</param>
public sealed record MoeSpec(
    int Routed, int Shared, int Active, int Width, GateSpec Gate, GroupSpec? Groups, BalanceSpec Balance, Origin Origin) : FeedForwardSpec(Origin)
{
    /// <summary>A per-expert bias takes part in the selection, and in nothing else (<c>e_score_correction_bias</c>).</summary>
    public bool HasSelectionBias => Balance.BiasRate is not null;
}

public enum ScoreFunction
{
    Sigmoid,
    Softmax,
}

/// <param name="Scale">Factor on the weights (<c>routed_scaling_factor</c>).</param>
/// <param name="Normalize">Chosen weights are divided by their sum (<c>norm_topk_prob</c>).</param>
public sealed record GateSpec(ScoreFunction Score, double Scale, bool Normalize, Origin Origin);

public enum GroupScore
{
    /// <summary>A group counts with the sum of its two best biased scores (V3).</summary>
    TopTwoSum,

    /// <summary>A group counts with its best score (V2).</summary>
    Max,
}

/// <summary>Group-limited routing: experts are chosen from the best <paramref name="Kept"/> of <paramref name="Count"/> groups.</summary>
public sealed record GroupSpec(int Kept, int Count, GroupScore Score, Origin Origin);

/// <param name="BiasRate">Step of the auxiliary-loss-free bias; null: there is no bias.</param>
/// <param name="SequenceLoss">Weight of the sequence-wise balance loss; null: none.</param>
public sealed record BalanceSpec(double? BiasRate, double? SequenceLoss, Origin Origin)
{
    public static BalanceSpec None { get; } = new(null, null, Origin.None);
}
