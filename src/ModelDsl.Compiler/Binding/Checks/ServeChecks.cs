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
        if (phase.UnitNodes > cluster.Nodes)
        {
            diagnostics.Add(Catalogue.UnitTooLarge(block.SpanOf("unit"), phase.UnitNodes, cluster.Nodes));
            return;
        }

        var before = diagnostics.ErrorCount;
        var gpus = phase.UnitNodes * cluster.Node.Gpus;
        if (model.Attention.Heads % phase.Attention.Tensor != 0)
            diagnostics.Add(Catalogue.HeadsPerTensor(block.SpanOf("attention"), model.Attention.Heads, phase.Attention.Tensor));
        if ((long)phase.Attention.Tensor * phase.Attention.Data != gpus)
            diagnostics.Add(Catalogue.AttentionUnit(block.SpanOf("attention"), phase.Attention.Tensor, phase.Attention.Data, gpus));
        if (phase.Experts.Expert > gpus)
            diagnostics.Add(Catalogue.ExpertUnit(block.SpanOf("experts"),
                $"{phase.Experts.Expert} expert ranks, and the unit has {gpus} GPUs"));
        else
            PlanChecks.Experts(model, phase.Experts.Expert, phase.Experts.Redundant, block.SpanOf("experts"), diagnostics);
        if (phase.Draft > 0 && model.MtpDepth == 0)
            diagnostics.Add(Catalogue.DraftWithoutMtp(block.SpanOf("speculate"), phase.Draft, model.Name));
        if (diagnostics.ErrorCount == before) MemoryChecks.Serve(serve, phase, block, diagnostics);
    }
}
