using System.Text;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Importing;

/// <summary>
/// Writes the <c>rope</c> block from <c>rope_theta</c> and <c>rope_scaling</c>, or from the newer <c>rope_parameters</c>
/// that holds both; the kind is called <c>type</c> or <c>rope_type</c>.
/// </summary>
internal static class RopeText
{
    public static void Write(StringBuilder text, Config config, DiagnosticBag diagnostics)
    {
        var parameters = config.Inner("rope_parameters");
        var scaling = parameters ?? config.Inner("rope_scaling");
        var theta = (parameters?.Find("rope_theta") is null ? config : parameters).Number("rope_theta", 10000);
        text.Append($"\nrope {{\ntheta = {theta}\n");
        if (scaling is not null) Yarn(text, config, scaling, diagnostics);
        text.Append("}\n");
    }

    private static void Yarn(StringBuilder text, Config config, Config scaling, DiagnosticBag diagnostics)
    {
        var key = scaling.Find("rope_type") is not null ? "rope_type" : "type";
        var kind = scaling.Word(key, "default");
        if (kind == "default") return;
        if (kind != "yarn")
            diagnostics.Add(Catalogue.ConfigUnsupported(scaling.SpanOf(key), key, $"\"{kind}\"", "supported: yarn, default"));
        if (!scaling.Flag("truncate", true))
            diagnostics.Add(Catalogue.ConfigUnsupported(scaling.SpanOf("truncate"), "truncate", "false",
                "supported: true, a ramp between whole dimensions"));
        if (scaling.Find("attention_factor") is { } factor)
            diagnostics.Add(Catalogue.ConfigUnsupported(factor.Span, "attention_factor", factor.Text,
                "supported: mscale and mscale_all_dim"));

        var original = scaling.Find("original_max_position_embeddings") is not null
            ? scaling.Int("original_max_position_embeddings")
            : config.Int("max_position_embeddings", 4096);
        if (scaling.Find("factor") is null) diagnostics.Add(Catalogue.ConfigMissingKey(scaling.Json.Span, "factor"));
        // As in transformers, an absent mscale is off: cos and sin then take the whole factor, whatever mscale_all_dim says.
        text.Append(
            $"yarn = scale({scaling.Number("factor", 1)}, original: {original} tokens, beta_fast: {scaling.Number("beta_fast", 32)}, ")
            .Append($"beta_slow: {scaling.Number("beta_slow", 1)}, mscale: {scaling.Number("mscale", 0)}, ")
            .Append($"mscale_all_dim: {scaling.Number("mscale_all_dim", 0)})\n");
    }
}
