using System.Text;
using ModelDsl.Compiler.Binding;

namespace ModelDsl.Compiler.Importing;

/// <summary>Writes the <c>model</c> block.</summary>
internal static class ModelText
{
    public static void Write(StringBuilder text, Config config, string name, DiagnosticBag diagnostics)
    {
        text.Append($"model {name} {{\n");
        Line(text, "vocabulary", config.Int("vocab_size"));
        Line(text, "hidden", config.Int("hidden_size"));
        text.Append($"norm = rms(epsilon: {config.Number("rms_norm_eps", 1e-6)})\n");
        text.Append($"init = normal(std: {config.Number("initializer_range", 0.02)})\n");
        text.Append($"context = {config.Int("max_position_embeddings", 4096)} tokens\n\n");

        text.Append("attention mla {\n");
        Line(text, "heads", config.Int("num_attention_heads"));
        if (config.Find("q_lora_rank") is not null) Line(text, "q_rank", config.Int("q_lora_rank"));
        Line(text, "kv_rank", config.Int("kv_lora_rank"));
        Line(text, "nope_dim", config.Int("qk_nope_head_dim"));
        Line(text, "rope_dim", config.Int("qk_rope_head_dim"));
        Line(text, "v_dim", config.Int("v_head_dim"));
        RopeText.Write(text, config, diagnostics);
        text.Append("}\n");

        LayersText.Write(text, config, diagnostics);
        if (config.Int("num_nextn_predict_layers", 0) is > 0 and var depth) text.Append($"\nmtp {{ depth = {depth} }}\n");
        text.Append("}\n");
    }

    public static void Line(StringBuilder text, string name, long value) => text.Append(name).Append(" = ").Append(value).Append('\n');
}
