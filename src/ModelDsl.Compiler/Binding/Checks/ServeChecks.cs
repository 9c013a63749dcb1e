using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding.Checks;

/// <summary>Whether a deployment's units hold what they are asked to.</summary>
internal static class ServeChecks
{
    public static void Check(ServeSpec serve, BoundBlock block, DiagnosticBag diagnostics)
    {
        if (serve.Prefill is { } prefill) Phase(serve, prefill, block.Block("prefill")!, diagnostics);
        if (serve.Decode is { } decode) Phase(serve, decode, block.Block("decode")!, diagnostics);
        PlanChecks.Precision(serve.Precision, serve.Cluster, block.SpanOf("precision"), diagnostics);
    }

    private static void Phase(ServeSpec serve, ServePhase phase, BoundBlock block, DiagnosticBag diagnostics)
    {
        var (model, cluster) = (serve.Model, serve.Cluster);
        var before = diagnostics.ErrorCount;
        if (phase.UnitNodes > cluster.Nodes) diagnostics.Add(Catalogue.UnitTooLarge(block.SpanOf("unit"), phase.UnitNodes, cluster.Nodes));
        var gpus = phase.UnitNodes * cluster.Node.Gpus;
        if (model.Attention.Heads % phase.Attention.Tensor != 0)
            diagnostics.Add(Catalogue.HeadsPerTensor(block.SpanOf("attention"), model.Attention.Heads, phase.Attention.Tensor,
                Nearest.Hint("tensor", phase.Attention.Tensor, model.Attention.Heads, tensor => model.Attention.Heads % tensor == 0 && gpus % tensor == 0)));
        // A unit that is too large is one mistake, and its attention no second one.
        if (phase.UnitNodes <= cluster.Nodes && (long)phase.Attention.Tensor * phase.Attention.Data != gpus)
            diagnostics.Add(Catalogue.AttentionUnit(block.SpanOf("attention"), phase.Attention.Tensor, phase.Attention.Data, gpus));
        if (phase.Experts.Expert > gpus)
            diagnostics.Add(Catalogue.ExpertUnit(block.SpanOf("experts"),
                $"{phase.Experts.Expert} expert ranks, and the unit has {gpus} GPUs",
                $"use expert = {gpus}, or a larger unit"));
        else
            PlanChecks.Experts(model, phase.Experts.Expert, phase.Experts.Redundant, block.SpanOf("experts"), ExpertHint(model, phase, gpus), diagnostics);
        if (phase.Draft > 0 && model.MtpDepth == 0)
            diagnostics.Add(Catalogue.DraftWithoutMtp(block.SpanOf("speculate"), phase.Draft, model.Name));
        if (diagnostics.ErrorCount == before) MemoryChecks.Serve(serve, phase, block, diagnostics);
    }

    private static string? ExpertHint(ModelSpec model, ServePhase phase, int gpus) => Nearest.Hint("expert", phase.Experts.Expert, gpus, ranks =>
        model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().All(moe => moe.Routed % ranks == 0));
}
