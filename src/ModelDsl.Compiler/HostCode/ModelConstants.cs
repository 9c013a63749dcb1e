using ModelDsl.Compiler.Scheduling;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.HostCode;

/// <summary>The sizes of a model as public constants, called as in its <c>.dsm</c> file.</summary>
internal static class ModelConstants
{
    /// <summary>Names that a model's class must not have: a class has no member called like itself.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        nameof(ModelSpec.Vocabulary), nameof(ModelSpec.Hidden), nameof(ModelSpec.Layers), nameof(MlaSpec.Heads), nameof(MlaSpec.QRank),
        nameof(MlaSpec.KvRank), nameof(MlaSpec.NopeDim), nameof(MlaSpec.RopeDim), nameof(MlaSpec.VDim), "DenseWidth", "RoutedExperts",
        "SharedExperts", "ActiveExperts", "ExpertWidth", "Parameters", nameof(PlanLimits.Context), nameof(PlanLimits.PrefillTokens),
        nameof(PlanLimits.DecodeSequences),
    ];

    public static void Write(CodeWriter code, ModelPlan plan)
    {
        void Constant(string name, long? value, string summary)
        {
            if (value is { } number) code.Summary(summary).Line($"public const int {name} = {CSharp.Number(number)};").Line();
        }

        var (model, mla, limits) = (plan.Model, plan.Model.Attention, plan.Limits);
        var dense = model.Layers.Select(layer => layer.FeedForward).OfType<DenseSpec>().ToList();
        var moe = model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().ToList();
        Constant("Vocabulary", model.Vocabulary, "Rows of the embedding and of the output head (vocab_size); token ids are below it.");
        Constant("Hidden", model.Hidden, "Width of the residual stream (hidden_size).");
        Constant("Layers", model.Layers.Count, $"Layers: {dense.Count} dense, {moe.Count} mixtures of experts (num_hidden_layers).");
        Constant("Heads", mla.Heads, "Attention heads (num_attention_heads).");
        Constant("QRank", mla.QRank, "Width of the query latent (q_lora_rank).");
        Constant("KvRank", mla.KvRank, "Width of the cached latent (kv_lora_rank).");
        Constant("NopeDim", mla.NopeDim, "Width of a head's queries and keys without position (qk_nope_head_dim).");
        Constant("RopeDim", mla.RopeDim, "Width of a head's rotated queries, and of the one rotated key of all heads (qk_rope_head_dim).");
        Constant("VDim", mla.VDim, "Width of a head's values (v_head_dim).");
        Constant("DenseWidth", Common(dense, layer => layer.Width), "Width of a dense layer's SwiGLU (intermediate_size).");
        Constant("RoutedExperts", Common(moe, layer => layer.Routed), "Experts that a layer's router chooses from (n_routed_experts).");
        Constant("ActiveExperts", Common(moe, layer => layer.Active), "Experts that it chooses for a token (num_experts_per_tok).");
        Constant("SharedExperts", Common(moe, layer => layer.Shared), "Experts that every token passes (n_shared_experts).");
        Constant("ExpertWidth", Common(moe, layer => layer.Width), "Width of an expert's SwiGLU (moe_intermediate_size).");
        code.Summary("Parameters of the model, all experts counted.")
            .Line($"public const long Parameters = {CSharp.Number(plan.Parameters)};").Line();
        Constant("Context", limits.Context, "Most tokens of a session, prompt and answer together, that this class has room for.");
        Constant("PrefillTokens", limits.PrefillTokens, "Most tokens of one prefill step; longer prompts go in by several.");
        Constant("DecodeSequences", limits.DecodeSequences, "Most sessions of one decode step.");
    }

    /// <summary>What all layers of a kind agree on; null where they do not, or where there are none.</summary>
    private static int? Common<T>(List<T> layers, Func<T, int> value) =>
        layers.Count > 0 && layers.All(layer => value(layer) == value(layers[0])) ? value(layers[0]) : null;
}
