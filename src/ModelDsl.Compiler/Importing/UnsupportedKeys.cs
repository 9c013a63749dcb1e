using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Importing;

/// <summary>Settings of the family that change what is computed and that we do not compute.</summary>
internal static class UnsupportedKeys
{
    private static readonly string[] Types = ["deepseek_v3", "deepseek_v2", "kimi_k2"];

    public static void Check(Config config, DiagnosticBag diagnostics)
    {
        void Unsupported(string key, string supported) =>
            diagnostics.Add(Catalogue.ConfigUnsupported(config.SpanOf(key), key, config.Find(key)!.Text, supported));

        if (!Types.Contains(config.Word("model_type", "deepseek_v3"))) Unsupported("model_type", "supported: " + string.Join(", ", Types));
        if (config.Word("hidden_act", "silu") != "silu") Unsupported("hidden_act", "supported: silu");
        foreach (var key in new[] { "attention_bias", "mlp_bias", "tie_word_embeddings" })
            if (config.Flag(key, false))
                Unsupported(key, "supported: false");
        if (!config.Flag("rope_interleave", true)) Unsupported("rope_interleave", "supported: true, pairs of neighbours");
        if (config.Find("num_key_value_heads") is not null && config.Int("num_key_value_heads") != config.Int("num_attention_heads", 0))
            Unsupported("num_key_value_heads", "latent attention has as many key heads as query heads");
        foreach (var key in new[] { "index_topk", "index_n_heads", "sliding_window" })
            if (config.Find(key) is not null)
                Unsupported(key, "supported: full attention");
    }
}
