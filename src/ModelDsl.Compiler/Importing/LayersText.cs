using System.Text;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Importing;

/// <summary>Writes the <c>layers</c> blocks: runs of dense layers and of expert layers.</summary>
internal static class LayersText
{
    private const long MostLayers = 1 << 16;

    public static void Write(StringBuilder text, Config config, DiagnosticBag diagnostics)
    {
        var count = config.Int("num_hidden_layers");
        if (count > MostLayers)
        {
            diagnostics.Add(Catalogue.ConfigWrongType(config.SpanOf("num_hidden_layers"), "num_hidden_layers", $"at most {MostLayers}"));
            return;
        }

        var experts = Experts(config, count, diagnostics);
        for (var first = 0; first < count;)
        {
            var last = first;
            while (last + 1 < count && experts[last + 1] == experts[first]) last++;
            text.Append(first == last ? $"\nlayers {first} {{" : $"\nlayers {first}..{last} {{");
            if (experts[first]) Moe(text, config, diagnostics);
            else text.Append($" dense {{ width = {config.Int("intermediate_size")} }} }}\n");
            first = last + 1;
        }
    }

    /// <summary>Which layers have experts: all from the first on, every n-th, or as a list says.</summary>
    private static bool[] Experts(Config config, long count, DiagnosticBag diagnostics)
    {
        var experts = new bool[Math.Max(0, count)];
        if (config.Find("mlp_layer_types") is JsonArray types)
        {
            if (types.Items.Count != count)
                diagnostics.Add(Catalogue.ConfigWrongType(types.Span, "mlp_layer_types", $"a list of {count} items"));
            for (var i = 0; i < Math.Min(count, types.Items.Count); i++)
                experts[i] = types.Items[i] is JsonString { Value: "sparse" };
            return experts;
        }

        if (config.Find("n_routed_experts") is null) return experts;
        var first = config.Int("first_k_dense_replace", 0);
        var every = config.Int("moe_layer_freq", 1);
        if (every < 1) diagnostics.Add(Catalogue.ConfigWrongType(config.SpanOf("moe_layer_freq"), "moe_layer_freq", "1 or more"));
        for (var i = Math.Max(0, first); i < count; i++) experts[i] = i % Math.Max(1, every) == 0;
        return experts;
    }

    private static void Moe(StringBuilder text, Config config, DiagnosticBag diagnostics)
    {
        var v3 = config.Word("model_type", "deepseek_v3") != "deepseek_v2";
        var scoring = config.Word("scoring_func", v3 ? "sigmoid" : "softmax");
        if (scoring is not ("sigmoid" or "softmax"))
            diagnostics.Add(Catalogue.ConfigUnsupported(config.SpanOf("scoring_func"), "scoring_func", $"\"{scoring}\"",
                "supported: sigmoid, softmax"));
        var method = config.Word("topk_method", v3 ? "noaux_tc" : "greedy");
        if (method is not ("noaux_tc" or "greedy" or "group_limited_greedy"))
            diagnostics.Add(Catalogue.ConfigUnsupported(config.SpanOf("topk_method"), "topk_method", $"\"{method}\"",
                "supported: noaux_tc, greedy, group_limited_greedy"));

        text.Append("\nmoe {\n");
        ModelText.Line(text, "routed", config.Int("n_routed_experts"));
        ModelText.Line(text, "shared", config.Int("n_shared_experts", 0));
        ModelText.Line(text, "active", config.Int("num_experts_per_tok"));
        ModelText.Line(text, "width", config.Int("moe_intermediate_size"));
        var normalize = config.Flag("norm_topk_prob", v3);
        text.Append($"gate = {scoring}(scale: {Scale(config, v3, normalize, diagnostics)}, normalize: {(normalize ? "true" : "false")})\n");
        var groups = config.Int("n_group", 1);
        // One group of all experts limits nothing, and 'greedy' does not look at groups.
        if (groups > 1 && method != "greedy")
            text.Append($"groups = top({config.Int("topk_group")}, of: {groups}, by: {(method == "noaux_tc" ? "top_two" : "max")})\n");
        if (method == "noaux_tc") text.Append("\nbalance { bias = rate(0.001) }\n");
        text.Append("}\n}\n");
    }

    /// <summary>V2's own code scales weights only where it does not normalise them; V3's does both.</summary>
    private static string Scale(Config config, bool v3, bool normalize, DiagnosticBag diagnostics)
    {
        var scale = config.Double("routed_scaling_factor", v3 ? 2.5 : 1);
        if (v3 || !normalize || scale == 1) return Config.Show(scale);
        diagnostics.Add(Catalogue.ConfigIgnored(config.SpanOf("routed_scaling_factor"), "routed_scaling_factor",
            "DeepSeek-V2 does not scale weights that it normalises"));
        return "1";
    }
}
