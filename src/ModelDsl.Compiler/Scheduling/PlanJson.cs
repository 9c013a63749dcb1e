using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>A plan as <c>plan.json</c>: for people, for tools, and to compare two plans. The same plan gives the same text.</summary>
public static class PlanJson
{
    public static string Write(ModelPlan plan) => new JsonText().Object(null, json =>
    {
        json.Value("model", plan.Model.Name).Value("precision", plan.Precision.Name).Value("target", plan.Target.Name);
        json.Object("limits", at => Limits(at, plan.Limits), inline: true);
        json.Value("workspace_bytes", plan.WorkspaceBytes);
        json.Object("cache", at => Cache(at, plan.Cache), inline: true);
        json.Object("rope", at => Rope(at, plan.Rope), inline: true);
        Weights(json, plan);
        json.Array("kernels", list =>
        {
            foreach (var kernel in plan.Kernels) list.Object(null, item => Kernel(item, kernel), inline: true);
        });
        json.Array("phases", list =>
        {
            foreach (var phase in plan.Phases) list.Object(null, item => Phase(item, phase));
        });
    }).ToString();

    private static void Limits(JsonText json, PlanLimits limits) => json
        .Value("prefill_tokens", limits.PrefillTokens).Value("decode_sequences", limits.DecodeSequences).Value("context", limits.Context)
        .Value("logit_rows", limits.LogitRows).Value("page", limits.Page).Value("split_pages", limits.SplitPages);

    private static void Cache(JsonText json, CachePlan cache) => json
        .Value("layers", cache.Layers).Value("width", cache.Width).Value("type", cache.Type.Text())
        .Value("page", cache.Page).Value("bytes_per_token", cache.BytesPerToken);

    private static void Rope(JsonText json, RopeTable rope) => json
        .Value("positions", rope.Positions).Value("factor", rope.Factor)
        .Array("inverse_frequencies", list =>
        {
            foreach (var frequency in rope.InverseFrequencies) list.Value(null, frequency);
        });

    /// <summary>Without the names in the checkpoint, of which a large model has ninety thousand: they follow from the model.</summary>
    private static void Weights(JsonText json, ModelPlan plan)
    {
        json.Value("parameters", plan.Parameters);
        json.Value("weight_bytes", plan.Weights.Sum(weight => weight.Bytes + weight.ScaleBytes));
        json.Array("weights", list =>
        {
            foreach (var weight in plan.Weights)
                list.Object(null, item => item
                    .Value("key", weight.Key).Value("type", weight.TensorType.ToString())
                    .Value("bytes", weight.Bytes + weight.ScaleBytes).Value("tensors", weight.Parts.Count), inline: true);
        });
        Texts(json, "ignored_prefixes", plan.IgnoredPrefixes, inline: true);
    }

    private static void Kernel(JsonText json, Kernel kernel)
    {
        json.Value("name", kernel.Name).Value("threads", kernel.Geometry.Threads).Value("shared_bytes", kernel.Geometry.SharedBytes);
        Texts(json, "parameters", kernel.Parameters.Select(parameter => $"{parameter.Name}: {parameter.Type.Text()}"));
    }

    private static void Phase(JsonText json, PhasePlan phase)
    {
        json.Value("name", phase.Name).Value("workspace_bytes", phase.WorkspaceBytes);
        json.Array("steps", list =>
        {
            foreach (var step in phase.Steps) list.Object(null, item => Step(item, step), inline: true);
        });
        json.Array("taps", list =>
        {
            foreach (var tap in phase.Taps)
                list.Object(null, item => item
                    .Value("name", tap.Name).Value("at", Text(tap.At))
                    .Value("type", new TensorType(tap.Type, tap.Shape).ToString()), inline: true);
        });
    }

    private static void Step(JsonText json, LaunchStep step)
    {
        if (step.Layer is { } layer) json.Value("layer", layer);
        json.Value("kernel", step.Kernel.Name);
        Texts(json, "grid", new[] { step.Geometry.GridX, step.Geometry.GridY, step.Geometry.GridZ }.Select(size => size.ToString()));
        Texts(json, "arguments", step.Arguments.Select(Text));
        json.Value("computes", step.Comment);
    }

    private static void Texts(JsonText json, string name, IEnumerable<string> texts, bool inline = false) => json.Array(
        name,
        list =>
        {
            foreach (var text in texts) list.Value(null, text);
        },
        inline);

    private static string Text(PlanArgument argument) => argument switch
    {
        WorkspaceArgument { Extra: { } extra } at => $"workspace+{at.Offset}+{extra}",
        WorkspaceArgument at => $"workspace+{at.Offset}",
        WeightArgument { Area: WeightArea.Scales } weight => $"scales {weight.Key}{Plus(weight.Offset)}",
        WeightArgument weight => $"weight {weight.Key}{Plus(weight.Offset)}",
        CacheArgument cache => $"cache {cache.Layer}",
        TableArgument table => $"table {Lower(table.Table)}",
        InputArgument input => $"input {Lower(input.Input)}",
        OutputArgument output => $"output {Lower(output.Output)}{(output.Extra is { } extra ? $"+{extra}" : "")}",
        DimArgument size => size.Value.ToString(),
        _ => throw new InvalidOperationException($"No text for {argument}."),
    };

    private static string Plus(long offset) => offset == 0 ? "" : $"+{offset}";

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
