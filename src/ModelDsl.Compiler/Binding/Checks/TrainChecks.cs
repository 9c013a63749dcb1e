using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Binding.Checks;

/// <summary>Whether a model, a policy and a cluster go together in a training run.</summary>
internal static class TrainChecks
{
    /// <summary>Ops of a step over all stages; far above any real step, and a plan of it is still quick.</summary>
    private const long MostOps = 1 << 20;

    public static void Check(TrainSpec train, BoundBlock block, DiagnosticBag diagnostics)
    {
        var parallel = block.Block("parallel");
        SourceSpan At(string attribute) => parallel?.SpanOf(attribute) ?? block.NameSpan;
        var (model, spread, gpus) = (train.Model, train.Parallel, train.Cluster.Gpus);

        if (model.Attention.Heads % spread.Tensor != 0)
            diagnostics.Add(Catalogue.HeadsPerTensor(At("tensor"), model.Attention.Heads, spread.Tensor, TensorHint(train)));
        if (spread.Pipeline > model.Layers.Count)
            diagnostics.Add(Catalogue.StagesPerLayers(At("pipeline"), spread.Pipeline, model.Layers.Count, PipelineHint(train)));
        PlanChecks.Experts(model, spread.Expert, 0, At("expert"), ExpertHint(train), diagnostics);

        var replica = Replica(train, spread.Pipeline, spread.Tensor);
        var divides = gpus % replica == 0;
        var size = train.Cluster.NodesOrigin.Span;
        if (!divides)
            diagnostics.Add(Catalogue.GpusPerPlan(parallel?.NameSpan ?? block.NameSpan,
                $"pipeline {spread.Pipeline} x tensor {spread.Tensor} = {replica} GPUs{(replica < (long)spread.Pipeline * spread.Tensor ? " of two stages each" : "")} do not divide the cluster's {gpus}", PipelineHint(train))
                .WithNote(size, $"the cluster has {train.Cluster.Nodes} nodes of {train.Cluster.Node.Gpus} GPUs"));
        else if (gpus / replica % spread.Expert != 0)
            diagnostics.Add(Catalogue.GpusPerPlan(At("expert"),
                $"{spread.Expert} expert ranks do not divide the {gpus / replica} GPUs of a pipeline stage", ExpertHint(train))
                .WithNote(size, $"the cluster has {train.Cluster.Nodes} nodes of {train.Cluster.Node.Gpus} GPUs"));

        if (train.Cluster is { Nodes: > 1, Node: { Nics: 0 } or { NicBytesPerSecond: 0 } })
            diagnostics.Add(Catalogue.NoAdapters(train.Cluster.Node.AdaptersOrigin.Span, train.Cluster.Name, train.Cluster.Nodes));
        CheckSchedule(train, block, divides ? gpus / replica : null, diagnostics);
        CheckGroups(train, At("expert"), diagnostics);
        if (divides && gpus / replica % spread.Expert == 0) MemoryChecks.Train(train, parallel?.NameSpan ?? block.NameSpan, diagnostics);

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

    /// <summary>What the schedule asks of the pipeline and of the micro-batches of a step.</summary>
    /// <param name="dataRanks">Null: the GPUs do not divide, so that nobody knows how many there are.</param>
    private static void CheckSchedule(TrainSpec train, BoundBlock block, long? dataRanks, DiagnosticBag diagnostics)
    {
        var (kind, stages) = (train.Schedule.Kind, train.Parallel.Pipeline);
        var schedule = block.Block("schedule");
        var at = schedule?.NameSpan ?? block.NameSpan;
        if (train.Schedule.CommSms >= train.Cluster.Gpu.Multiprocessors)
            diagnostics.Add(Catalogue.CommunicationSms(
                schedule!.SpanOf("comm_sms"), train.Schedule.CommSms, train.Cluster.Gpu.Multiprocessors, train.Cluster.Gpu.Name));
        if (ScheduleRules.WantsEvenStages(kind) && stages % 2 != 0)
            diagnostics.Add(Catalogue.OddDualPipe(
                block.Block("parallel")?.SpanOf("pipeline") ?? at, kind, stages,
                (PipelineHint(train) ?? Nearest.Hint("pipeline", stages, train.Model.Layers.Count, other => other % 2 == 0)) is { } hint
                    ? hint + ", or schedule zb1p" : "use schedule zb1p"));

        if (train.Schedule.MicroBatches is { } given)
            CheckMicroBatches(train, schedule!.SpanOf("micro_batches"), given, given, 1, "micro_batches", diagnostics);
        else if (dataRanks is { } ranks)
        {
            // A batch that grows is judged by where it ends; that it starts below is worth a word.
            var (size, each) = (train.Schedule.MicroBatchSize, ranks * train.Schedule.MicroBatchSize);
            var (first, last) = (train.Batch.From / each, train.Batch.To / each);
            var origin = $"a batch of {Math.Min(train.Batch.From, train.Batch.To)} sequences over {ranks} data-parallel ranks{(size == 1 ? "" : $" in micro-batches of {size}")}";
            CheckMicroBatches(train, block.SpanOf("batch"), first, last, each, origin, diagnostics);
            if (train.Batch.To % each != 0)
                diagnostics.Add(Catalogue.BatchPerRank(block.SpanOf("batch"), train.Batch.To, ranks, size,
                    Nearest.Hint("batch", train.Batch.To, int.MaxValue, batch => batch % each == 0)));
        }
    }

    /// <param name="each">Sequences of the batch for one more micro-batch on every rank; 1 where micro-batches themselves are given.</param>
    private static void CheckMicroBatches(
        TrainSpec train, SourceSpan at, long first, long last, long each, string origin, DiagnosticBag diagnostics)
    {
        var (kind, stages) = (train.Schedule.Kind, train.Parallel.Pipeline);
        ScheduleProblem? Few(long batches) =>
            ScheduleRules.Problems(kind, stages, batches).FirstOrDefault(problem => problem.Fault == ScheduleFault.FewMicroBatches);
        bool Works(long batches) => !ScheduleRules.Problems(kind, stages, batches).Any(problem => problem.Fault != ScheduleFault.Stages);
        var name = train.Schedule.MicroBatches is null ? "batch" : "micro_batches";
        var hint = Nearest.Hint(name, last * each, int.MaxValue, value => value % each == 0 && Works(value / each));
        if ((Few(Math.Min(first, last)) ?? Few(last)) is { } few)
            diagnostics.Add(Catalogue.FewMicroBatches(at, Few(last) is null, Math.Min(first, last), kind, few.Wanted, origin, hint));
        if (ScheduleRules.Problems(kind, stages, last).FirstOrDefault(problem => problem.Fault == ScheduleFault.UnevenMicroBatches) is { } uneven)
            diagnostics.Add(Catalogue.MicroBatchesPerSchedule(at, uneven.Message(last), hint));
        if (last * stages > MostOps) diagnostics.Add(Catalogue.StepTooLong(at, last, stages, MostOps / stages));
    }

    /// <summary>GPUs of one pipeline.</summary>
    private static long Replica(TrainSpec train, long stages, long tensor) => ScheduleRules.Ranks(train.Schedule.Kind, (int)stages) * tensor;

    private static string? PipelineHint(TrainSpec train)
    {
        var (spread, gpus) = (train.Parallel, (long)train.Cluster.Gpus);
        bool Alone(long stages) => (!ScheduleRules.WantsEvenStages(train.Schedule.Kind) || stages % 2 == 0) && gpus % Replica(train, stages, spread.Tensor) == 0;
        var most = train.Model.Layers.Count;
        return Nearest.Hint("pipeline", spread.Pipeline, most, stages => Alone(stages) && gpus / Replica(train, stages, spread.Tensor) % spread.Expert == 0)
            ?? Nearest.Hint("pipeline", spread.Pipeline, most, Alone);
    }

    private static string? ExpertHint(TrainSpec train)
    {
        var (spread, gpus) = (train.Parallel, (long)train.Cluster.Gpus);
        var replica = Replica(train, spread.Pipeline, spread.Tensor);
        var routed = train.Model.Layers.Select(layer => layer.FeedForward).OfType<MoeSpec>().Select(moe => moe.Routed).Distinct().ToArray();
        bool Alone(long ranks) => routed.All(experts => experts % ranks == 0);
        var most = routed.DefaultIfEmpty(1).Max();
        return (gpus % replica == 0 ? Nearest.Hint("expert", spread.Expert, most, ranks => Alone(ranks) && gpus / replica % ranks == 0) : null)
            ?? Nearest.Hint("expert", spread.Expert, most, Alone);
    }

    private static string? TensorHint(TrainSpec train) =>
        Nearest.Hint("tensor", train.Parallel.Tensor, train.Model.Attention.Heads, tensor =>
            train.Model.Attention.Heads % tensor == 0 && train.Cluster.Gpus % Replica(train, train.Parallel.Pipeline, tensor) == 0)
        ?? Nearest.Hint("tensor", train.Parallel.Tensor, train.Model.Attention.Heads, tensor => train.Model.Attention.Heads % tensor == 0);

    /// <summary>Node-limited routing only limits nodes when a group of experts does not straddle two of them.</summary>
    private static void CheckGroups(TrainSpec train, SourceSpan at, DiagnosticBag diagnostics)
    {
        var moe = train.Model.Layers.Select(l => l.FeedForward).OfType<MoeSpec>().FirstOrDefault();
        if (moe?.Groups is not { } groups || moe.Routed % train.Parallel.Expert != 0) return;
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
