using System.Text;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Importing;

/// <summary>Writes a <c>precision</c> block that computes as the checkpoint's <c>quantization_config</c> was made.</summary>
internal static class QuantizationText
{
    private const string PolicyName = "Checkpoint";

    /// <summary>What the policy keeps in BF16 or FP32 anyway; to name it changes nothing.</summary>
    private static readonly string[] NeverQuantised = ["lm_head", "embed_tokens", "norm", "mlp.gate", "eh_proj"];

    /// <returns>The policy's name; null when the checkpoint is not quantised.</returns>
    public static string? Write(StringBuilder text, Config config, DiagnosticBag diagnostics)
    {
        if (config.Inner("quantization_config") is not { } quantization) return null;
        Only(quantization, "quant_method", "fp8", diagnostics);
        Only(quantization, "fmt", "e4m3", diagnostics);
        Only(quantization, "activation_scheme", "dynamic", diagnostics);
        var (rows, columns) = Block(quantization, diagnostics);
        var format = quantization.Word("scale_fmt", "float");
        if (format is not ("float" or "ue8m0"))
            diagnostics.Add(Catalogue.ConfigUnsupported(quantization.SpanOf("scale_fmt"), "scale_fmt", $"\"{format}\"",
                "supported: ue8m0, or none"));

        if (quantization.Find("modules_to_not_convert") is JsonArray kept && !kept.Items.All(IsNeverQuantised))
            diagnostics.Add(Catalogue.ConfigIgnored(kept.Span, "modules_to_not_convert", "the policy quantises all linear layers"));

        text.Append($"\nprecision {PolicyName} {{\ngemm {{\nformat = e4m3\n")
            .Append($"activations = tile(1, {columns})\nweights = block({rows}, {columns})\npromote = 128\n");
        if (format == "ue8m0") text.Append("scale = pow2\n");
        text.Append("}\n\nkeep { bf16 = [embedding, output_head, norm, attention], fp32 = [router] }\n}\n");
        return PolicyName;
    }

    private static bool IsNeverQuantised(JsonNode module) =>
        module is JsonString { Value: var name } && NeverQuantised.Any(end => name.EndsWith(end, StringComparison.Ordinal));

    private static void Only(Config config, string key, string supported, DiagnosticBag diagnostics)
    {
        if (config.Word(key, supported) is var value && value != supported)
            diagnostics.Add(Catalogue.ConfigUnsupported(config.SpanOf(key), key, $"\"{value}\"", $"supported: {supported}"));
    }

    private static (int Rows, int Columns) Block(Config config, DiagnosticBag diagnostics)
    {
        switch (config.Find("weight_block_size"))
        {
            case JsonArray { Items: [JsonNumber { Value: 128 } rows, JsonNumber { Value: 128 } columns] }:
                return ((int)rows.Value, (int)columns.Value);
            case null:
                diagnostics.Add(Catalogue.ConfigUnsupported(config.Json.Span, "weight_block_size", "absent", "supported: [128, 128]"));
                break;
            case var other:
                diagnostics.Add(Catalogue.ConfigUnsupported(other.Span, "weight_block_size", other.Text, "supported: [128, 128]"));
                break;
        }
        return (128, 128);
    }
}
