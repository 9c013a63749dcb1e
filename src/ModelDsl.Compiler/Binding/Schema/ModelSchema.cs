using static ModelDsl.Compiler.Binding.Schema.Rows;

namespace ModelDsl.Compiler.Binding.Schema;

/// <summary>What a <c>model</c> holds.</summary>
internal static class ModelSchema
{
    private static readonly BlockSchema Rope = Block("rope", "Rotary position embedding.",
    [
        Attribute("theta", Positive, "10000", "base of the rotary frequencies (rope_theta)"),
        Optional("yarn", Choice(Call("scale", "context extension by interpolating the slow frequencies",
            Value("factor", new NumberType(1, 1e6), "by how much the context grows (factor)"),
            Named("original", Tokens, "context before extension (original_max_position_embeddings)"),
            Named("beta_fast", Positive, "32", "pairs that turn more often than this over the original context stay as they are"),
            Named("beta_slow", Positive, "1", "pairs that turn less often than this are interpolated in full"),
            Named("mscale", Factor, "1", "numerator of the factor on cos and sin: 0.1 mscale ln(factor) + 1"),
            Named("mscale_all_dim", Factor, "0", "its denominator; squared, it scales the softmax as well; 0: off"))),
            "YaRN context extension (rope_scaling)"),
    ]);

    private static readonly BlockSchema Attention = Block("attention", "Multi-head latent attention (V3 report, section 2.1.1).",
    [
        Attribute("heads", Counted, "attention heads (num_attention_heads)"),
        Optional("q_rank", Width, "width of the query latent (q_lora_rank); absent: queries are not compressed"),
        Attribute("kv_rank", Width, "width of the latent that is cached (kv_lora_rank)"),
        Attribute("nope_dim", Width, "per-head width of the part without position (qk_nope_head_dim)"),
        Attribute("rope_dim", Width, "width of the rotated part, one key for all heads; even (qk_rope_head_dim)"),
        Attribute("v_dim", Width, "per-head width of values (v_head_dim)"),
    ], [new ChildSchema(Rope)], new LabelRule.Kind(["mla"]));

    private static readonly BlockSchema Dense = Block("dense", "One SwiGLU.",
    [
        Attribute("width", Width, "inner width (intermediate_size)"),
    ]);

    private static readonly BlockSchema Balance = Block("balance", "How experts are kept equally busy.",
    [
        Optional("bias", Choice(Call("rate", "step of the bias", Value("step", Share, "added or subtracted per step"))),
            "auxiliary-loss-free balancing: a bias per expert that takes part in the selection only (e_score_correction_bias)"),
        Optional("sequence", Choice(Call("loss", "weight of the loss", Value("weight", Share, "factor on the loss"))),
            "sequence-wise balance loss"),
    ]);

    private static readonly BlockSchema Moe = Block("moe", "Mixture of experts (V3 report, section 2.1.2).",
    [
        Attribute("routed", Counted, "routed experts (n_routed_experts)"),
        Attribute("shared", CountedOrNone, "0", "experts that every token visits (n_shared_experts)"),
        Attribute("active", Counted, "routed experts per token (num_experts_per_tok)"),
        Attribute("width", Width, "inner width of one expert (moe_intermediate_size)"),
        Attribute("gate", Choice(
            Call("sigmoid", "each expert is scored on its own",
                Named("scale", Factor, "1", "factor on the weights (routed_scaling_factor)"),
                Named("normalize", Flag, "true", "the chosen weights are divided by their sum (norm_topk_prob)")),
            Call("softmax", "experts are scored against one another",
                Named("scale", Factor, "1", "factor on the weights (routed_scaling_factor)"),
                Named("normalize", Flag, "false", "the chosen weights are divided by their sum (norm_topk_prob)"))),
            "how experts are scored (scoring_func)"),
        Optional("groups", Choice(Call("top", "only the best groups of experts are considered",
            Value("kept", Counted, "groups that stay (topk_group)"),
            Named("of", Counted, "groups in all (n_group)"),
            Named("by", Words("top_two", "max"), "none", "a group counts with the sum of its two best scores, or with the best;"
                + " top_two under sigmoid, max under softmax unless said"))), "node-limited routing"),
    ], [new ChildSchema(Balance)]);

    private static readonly BlockSchema Layers = Block("layers", "A run of equal layers, first..last, counted from 0.",
        [], [new ChildSchema(Dense), new ChildSchema(Moe)], new LabelRule.Range());

    private static readonly BlockSchema Mtp = Block("mtp", "Multi-token prediction.",
    [
        Attribute("depth", new IntegerType(0, 16), "prediction modules behind the last layer (num_nextn_predict_layers)"),
    ]);

    public static readonly BlockSchema Model = Block("model", "A decoder-only model in the shape of DeepSeek-V3.",
    [
        Attribute("vocabulary", new IntegerType(2, 1 << 24), "rows of the embedding and of the output head (vocab_size)"),
        Attribute("hidden", Width, "width of the residual stream (hidden_size)"),
        Attribute("norm",
            Choice(Call("rms", "root mean square",
                Named("epsilon", new NumberType(0, 1), "1e-6", "added to the mean square (rms_norm_eps)"))),
            "rms", "normalisation before each block"),
        Attribute("init",
            Choice(Call("normal", "normal distribution", Named("std", Positive, "0.006", "standard deviation (initializer_range)"))),
            "normal", "initial weights; used by training only"),
        Optional("context", Tokens, "longest sequence (max_position_embeddings); absent: what YaRN extends to, else 4096"),
    ], [new ChildSchema(Attention, Required: true), new ChildSchema(Layers, Required: true, Repeats: true), new ChildSchema(Mtp)]);
}
