using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding.Checks;

/// <summary>Whether a model, a policy and a cluster go together in a training run.</summary>
internal static class TrainChecks
{
    public static void Check(TrainSpec train, BoundBlock block, DiagnosticBag diagnostics)
    {
        var parallel = block.Block("parallel");
        SourceSpan At(string attribute) => parallel?.SpanOf(attribute) ?? block.NameSpan;
        var (model, spread, gpus) = (train.Model, train.Parallel, train.Cluster.Gpus);

        if (model.Attention.Heads % spread.Tensor != 0)
            diagnostics.Add(Catalogue.HeadsPerTensor(At("tensor"), model.Attention.Heads, spread.Tensor));
        if (spread.Pipeline > model.Layers.Count)
            diagnostics.Add(Catalogue.StagesPerLayers(At("pipeline"), spread.Pipeline, model.Layers.Count));
        PlanChecks.Experts(model, spread.Expert, 0, At("expert"), diagnostics);

        var replica = (long)spread.Pipeline * spread.Tensor;
        if (gpus % replica != 0 || gpus < replica)
            diagnostics.Add(Catalogue.GpusPerPlan(parallel?.NameSpan ?? block.NameSpan,
                $"pipeline {spread.Pipeline} x tensor {spread.Tensor} = {replica} GPUs do not divide the cluster's {gpus}", null));
        else if (gpus / replica % spread.Expert != 0)
            diagnostics.Add(Catalogue.GpusPerPlan(At("expert"),
                $"{spread.Expert} expert ranks do not divide the {gpus / replica} GPUs of a pipeline stage", null));
        else
        {
            CheckSchedule(train, block, gpus / replica, diagnostics);
            CheckGroups(train, At("expert"), diagnostics);
            MemoryChecks.Train(train, parallel?.NameSpan ?? block.NameSpan, diagnostics);
        }

        if (train.Data.Sequence > model.Context)
            diagnostics.Add(Catalogue.SequenceBeyondContext(
                block.Block("data")!.SpanOf("sequence"), train.Data.Sequence, model.Context, model.Name));
        PlanChecks.Precision(train.Precision, train.Cluster, block.SpanOf("precision"), diagnostics);
        CheckRate(train, block, diagnostics);
    }

    public static void CheckStages(TrainSpec train, DiagnosticBag diagnostics)
    {
        foreach (var stage in train.Extensions.Where(s => s.Sequence > train.Model.Context))
            diagnostics.Add(Catalogue.SequenceBeyondContext(stage.Origin.Span, stage.Sequence, train.Model.Context, train.Model.Name));
    }

    /// <summary>DualPipe's preconditions (V3 report, section 3.2.1): an even pipeline, and micro-batches for both ends.</summary>
    private static void CheckSchedule(TrainSpec train, BoundBlock block, long dataRanks, DiagnosticBag diagnostics)
    {
        if (!train.Schedule.Kind.StartsWith("dualpipe", StringComparison.Ordinal)) return;
        var schedule = block.Block("schedule")!;
        var stages = train.Parallel.Pipeline;
        if (stages % 2 != 0)
            diagnostics.Add(Catalogue.OddDualPipe(block.Block("parallel")?.SpanOf("pipeline") ?? schedule.NameSpan, stages));
        if (train.Schedule.MicroBatches is { } given)
        {
            if (given < 2 * stages)
                diagnostics.Add(Catalogue.FewMicroBatches(schedule.SpanOf("micro_batches"), false, given, stages, "micro_batches"));
            return;
        }

        // A batch that grows is judged by where it ends; that it starts below is worth a word.
        var (first, last) = (train.Batch.From / dataRanks, train.Batch.To / dataRanks);
        if (first >= 2 * stages && last >= 2 * stages) return;
        var origin = $"a batch of {Math.Min(train.Batch.From, train.Batch.To)} sequences over {dataRanks} data-parallel ranks";
        diagnostics.Add(Catalogue.FewMicroBatches(block.SpanOf("batch"), last >= 2 * stages, Math.Min(first, last), stages, origin));
    }

    /// <summary>Node-limited routing only limits nodes when a group of experts does not straddle two of them.</summary>
    private static void CheckGroups(TrainSpec train, SourceSpan at, DiagnosticBag diagnostics)
    {
        var moe = train.Model.Layers.Select(l => l.FeedForward).OfType<MoeSpec>().FirstOrDefault();
        if (moe?.Groups is not { } groups) return;
        var nodes = (train.Parallel.Expert + train.Cluster.Node.Gpus - 1) / train.Cluster.Node.Gpus;
        if (nodes <= 1 || groups.Count % nodes == 0) return;
        var perGroup = (nodes + groups.Count - 1) / groups.Count + (nodes % groups.Count == 0 ? 0 : 1);
        var reached = Math.Min(nodes, Math.Min(moe.Active, groups.Kept * perGroup));
        if (reached > groups.Kept) diagnostics.Add(Catalogue.GroupsPerNode(at, groups.Count, nodes, groups.Kept, reached));
    }

    private static void CheckRate(TrainSpec train, BoundBlock block, DiagnosticBag diagnostics)
    {
        var at = block.Block("rate")!.NameSpan;
        var tokens = 0.0;
        var perStep = (double)train.Batch.From * train.Data.Sequence;
        for (var i = 0; i < train.Rate.Count; i++)
        {
            var phase = train.Rate[i];
            var ends = (phase.UntilTokens is null ? 0 : 1) + (phase.OverTokens is null && phase.OverSteps is null ? 0 : 1);
            if (ends == 2) diagnostics.Add(Catalogue.RateCurve(phase.Origin.Span, "this stretch ends twice: 'until' counts, 'over' does not"));
            if (ends == 0 && i < train.Rate.Count - 1)
                diagnostics.Add(Catalogue.RateCurve(phase.Origin.Span, "this stretch has no end, and others follow it"));
            if (phase.UntilTokens is { } until) tokens = Math.Max(tokens, until);
            else tokens += phase.OverTokens ?? (phase.OverSteps ?? 0) * perStep;
        }
        var open = train.Rate.Count > 0 && train.Rate[train.Rate.Count - 1] is { UntilTokens: null, OverTokens: null, OverSteps: null };
        if (!open && Math.Abs(tokens - train.Data.Tokens) > 0.001 * train.Data.Tokens)
            diagnostics.Add(Catalogue.RateCurve(at, FormattableString.Invariant(
                $"the learning rate is given for {tokens / 1e9:0.###} B tokens, and the run reads {train.Data.Tokens / 1e9:0.###} B")));
    }
}
