using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Scheduling;

/// <summary>A plan as <c>plan.json</c>: for people, for tools, and to compare two plans. The same plan gives the same text.</summary>
public static class PlanJson
{
    public static string Write(ModelPlan plan)
    {
        var json = new JsonText().Object();
        json.Value("model", plan.Model.Name).Value("precision", plan.Precision.Name).Value("target", plan.Target.Name);
        Limits(json, plan.Limits);
        json.Value("workspace_bytes", plan.WorkspaceBytes);
        json.Object("cache", inline: true).Value("layers", plan.Cache.Layers).Value("width", plan.Cache.Width).Value("type", plan.Cache.Type.Text())
            .Value("page", plan.Cache.Page).Value("bytes_per_token", plan.Cache.BytesPerToken).Close();
        Rope(json, plan.Rope);
        Weights(json, plan);
        Kernels(json, plan.Kernels);
        json.Array("phases");
        foreach (var phase in plan.Phases) WritePhase(json, phase);
        return json.Close().Close().ToString();
    }

    private static void Limits(JsonText json, PlanLimits limits) => json.Object("limits", inline: true)
        .Value("prefill_tokens", limits.PrefillTokens).Value("decode_sequences", limits.DecodeSequences).Value("context", limits.Context)
        .Value("logit_rows", limits.LogitRows).Value("page", limits.Page).Value("split_pages", limits.SplitPages).Close();

    private static void Rope(JsonText json, RopeTable rope)
    {
        json.Object("rope", inline: true).Value("positions", rope.Positions).Value("factor", rope.Factor).Array("inverse_frequencies");
        foreach (var frequency in rope.InverseFrequencies) json.Value(null, frequency);
        json.Close().Close();
    }

    /// <summary>Without the names in the checkpoint, of which a large model has ninety thousand: they follow from the model.</summary>
    private static void Weights(JsonText json, ModelPlan plan)
    {
        json.Value("parameters", plan.Weights.Sum(weight => weight.Parameters));
        json.Value("weight_bytes", plan.Weights.Sum(weight => weight.Bytes + weight.ScaleBytes));
        json.Array("weights");
        foreach (var weight in plan.Weights)
            json.Object(inline: true).Value("key", weight.Key).Value("type", weight.TensorType.ToString())
                .Value("bytes", weight.Bytes + weight.ScaleBytes).Value("tensors", weight.Parts.Count).Close();
        json.Close().Array("ignored_prefixes", inline: true);
        foreach (var prefix in plan.IgnoredPrefixes) json.Value(null, prefix);
        json.Close();
    }

    private static void Kernels(JsonText json, EquatableArray<Kernel> kernels)
    {
        json.Array("kernels");
        foreach (var kernel in kernels)
        {
            json.Object(inline: true).Value("name", kernel.Name).Value("threads", kernel.Geometry.Threads)
                .Value("shared_bytes", kernel.Geometry.SharedBytes).Array("parameters");
            foreach (var parameter in kernel.Parameters) json.Value(null, $"{parameter.Name}: {parameter.Type.Text()}");
            json.Close().Close();
        }

        json.Close();
    }

    private static void WritePhase(JsonText json, PhasePlan phase)
    {
        json.Object().Value("name", phase.Name).Value("workspace_bytes", phase.WorkspaceBytes).Array("steps");
        foreach (var step in phase.Steps)
        {
            json.Object(inline: true);
            if (step.Layer is { } layer) json.Value("layer", layer);
            json.Value("kernel", step.Kernel.Name).Array("grid");
            foreach (var size in new[] { step.Geometry.GridX, step.Geometry.GridY, step.Geometry.GridZ }) json.Value(null, size.ToString());
            json.Close().Array("arguments");
            foreach (var argument in step.Arguments) json.Value(null, Text(argument));
            json.Close().Value("computes", step.Comment).Close();
        }

        json.Close().Array("taps");
        foreach (var tap in phase.Taps)
            json.Object(inline: true).Value("name", tap.Name).Value("offset", tap.Offset).Value("type", new TensorType(tap.Type, tap.Shape).ToString()).Close();
        json.Close().Close();
    }

    private static string Text(PlanArgument argument) => argument switch
    {
        WorkspaceArgument { Extra: { } extra } at => $"workspace+{at.Offset}+{extra}",
        WorkspaceArgument at => $"workspace+{at.Offset}",
        WeightArgument { Area: WeightArea.Scales } weight => $"scales {weight.Key}{Plus(weight.Offset)}",
        WeightArgument weight => $"weight {weight.Key}{Plus(weight.Offset)}",
        CacheArgument cache => $"cache {cache.Layer}",
        TableArgument table => $"table {Lower(table.Table)}",
        InputArgument input => $"input {Lower(input.Input)}",
        OutputArgument output => $"output {Lower(output.Output)}",
        DimArgument size => size.Value.ToString(),
        _ => throw new InvalidOperationException($"No text for {argument}."),
    };

    private static string Plus(long offset) => offset == 0 ? "" : $"+{offset}";

    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
