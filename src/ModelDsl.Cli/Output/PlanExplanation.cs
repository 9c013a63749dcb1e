using ModelDsl.Simulation;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Memory;
using ModelDsl.Simulation.Overlap;
using ModelDsl.Simulation.Schedules;
using static ModelDsl.Cli.Output.PlanLines;

namespace ModelDsl.Cli.Output;

/// <summary>Where a number of the plan comes from, term by term.</summary>
internal static class PlanExplanation
{
    private const int Ops = 40;
    private const int Moments = 16;

    /// <summary>Length of a bar that fills the memory.</summary>
    private const int Bar = 40;

    public static IReadOnlyList<string> Topics { get; } = ["bubble", "memory", "overlap", "time", "cost"];

    public static string Write(TrainingPlan plan, string topic)
    {
        var lines = new PlanLines();
        switch (topic)
        {
            case "bubble": Bubble(lines, plan); break;
            case "memory": Memory(lines, plan); break;
            case "overlap": Overlap(lines, plan); break;
            case "cost": Cost(lines, plan); break;
            default: Time(lines, plan); break;
        }
        return lines.ToString();
    }

    private static void Bubble(PlanLines lines, TrainingPlan plan)
    {
        var (schedule, times, timeline) = (plan.Schedule, plan.MeanTimes, plan.Timeline);
        var formula = BubbleFormula.Of(schedule, times);
        var backward = times.BackwardInput + times.BackwardWeight;
        lines.Add($"Bubble of {schedule.Name}, {schedule.Ranks} ranks, {schedule.MicroBatches} micro-batches");
        lines.Add($"  F   forward                           {times.Forward * 1e3,8:0.0} ms, the mean of all stages");
        lines.Add($"  Bi  gradient of inputs                {times.BackwardInput * 1e3,8:0.0} ms");
        lines.Add($"  W   gradient of weights               {times.BackwardWeight * 1e3,8:0.0} ms");
        lines.Add($"  B   both                              {backward * 1e3,8:0.0} ms");
        if (times.Overlapped > 0) lines.Add($"  F&B forward and backward side by side {times.Overlapped * 1e3,8:0.0} ms, {(times.Forward + backward - times.Overlapped) * 1e3:0.0} ms less than one after the other");
        lines.Add($"  {formula.Text} = {formula.Value:0.000} s, were all stages equal and the network free");
        lines.Add($"  The simulation has every stage's own times and {plan.Times.Transfer * 1e3:0.00} ms from stage to stage:");
        lines.Add($"  rank  stages   F      Bi     W      F&B ms           busy s  bubble s");
        for (var rank = 0; rank < schedule.Ranks; rank++)
        {
            var stages = string.Join(',', Enumerable.Range(0, schedule.Placement.PartsPerRank).Select(part => schedule.Placement.Of(rank, part).Stage));
            var own = plan.Times.Ranks[rank];
            var (f, b, w, fb) = (own.Average(op => op.Forward), own.Average(op => op.BackwardInput), own.Average(op => op.BackwardWeight), own.Average(op => op.Overlapped));
            lines.Add($"  {rank,4}  {stages,-7} {f * 1e3,6:0.0} {b * 1e3,6:0.0} {w * 1e3,6:0.0} {fb * 1e3,6:0.0}       {timeline.Makespan - timeline.Bubble(rank),12:0.000} {timeline.Bubble(rank),9:0.000}");
        }
        var slowest = Enumerable.Range(0, schedule.Ranks).MinBy(timeline.Bubble);
        lines.Add($"  Rank {slowest} is the busiest, and the others wait for it: {timeline.Bubble(slowest):0.000} s of bubble are the schedule's, the rest of theirs is uneven stages.");
        lines.Add($"  Programs (F forward, B backward, Bi and W its input and weight half, FB both side by side):");
        for (var rank = 0; rank < schedule.Ranks; rank++)
        {
            var program = schedule.Programs[rank];
            lines.Add($"    rank {rank,-3} {string.Join(' ', program.Take(Ops))}{(program.Length > Ops ? $" … {program.Length - Ops} more" : "")}");
        }
    }

    private static void Memory(PlanLines lines, TrainingPlan plan)
    {
        var memory = plan.Memory;
        var fullest = memory.FullestRank;
        var rank = memory.Ranks[fullest];
        lines.Add($"Memory of rank {fullest}, the fullest: {Gigabytes(rank.Peak)} of {Gigabytes(memory.Capacity)}, {Gigabytes(memory.Capacity - rank.Peak)} left for the driver, libraries and fragmentation");
        lines.Add($"  at op {rank.Op} of its program, {rank.At}{(rank.Seconds is { } at ? FormattableString.Invariant($", {at:0.00} s into the step") : "")}: {rank.LiveChunks} micro-batches live, {rank.DeferredWeightGradients} weight gradients wait");
        foreach (var consumer in rank.Consumers.Where(consumer => consumer.Bytes > 0))
            lines.Add($"  {Words(consumer.Name),-26} {consumer.Bytes / 1e9,8:0.00} GB  {Meaning(consumer.Name)}");
        lines.Add($"  {"sum",-26} {rank.Peak / 1e9,8:0.00} GB");
        lines.Add($"  What each saving is worth, were it missing:");
        foreach (var saving in plan.Savings)
            lines.Add($"  {Words(saving.Name),-26} {saving.Bytes / 1e9,8:0.00} GB more, {Gigabytes(saving.Peak)} in all{(saving.Peak > memory.Capacity ? ": does not fit" : "")}");
        if (WeightDeferral.Of(plan) is { } whole)
            lines.Add($"  Weight gradients that are put off: were none, the fullest rank had {Gigabytes(whole.Peak)} and the pipeline took {(whole.Makespan - plan.Timeline.Makespan) * 1e3:+0;-0} ms");
        OverTime(lines, plan, fullest);
        lines.Add($"  By rank:");
        for (var i = 0; i < memory.Ranks.Length; i++)
            lines.Add($"    rank {i,-3} {memory.Ranks[i].Peak / 1e9,6:0.0} GB at {memory.Ranks[i].At}, op {memory.Ranks[i].Op}, {memory.Ranks[i].LiveChunks} live, {memory.Ranks[i].DeferredWeightGradients} put off");
    }

    /// <summary>Some of the ops of a rank's program, the fullest among them.</summary>
    private static void OverTime(PlanLines lines, TrainingPlan plan, int rank)
    {
        var (bytes, program, peak) = (plan.Memory.Ranks[rank].ByOp, plan.Schedule.Programs[rank], plan.Memory.Ranks[rank].Op);
        var shown = Enumerable.Range(0, Moments).Select(i => i * (bytes.Length - 1) / (Moments - 1)).Append(peak).Distinct().Order();
        lines.Add($"  Over the step, rank {rank} (a # is {plan.Memory.Capacity / Bar / 1e9:0.#} GB):");
        foreach (var op in shown)
            lines.Add($"    {plan.Timeline.Ranks[rank][op].Start,7:0.00} s  op {op,-4} {program[op],-5} {bytes[op] / 1e9,6:0.0} GB  {new string('#', (int)Math.Min(2 * Bar, bytes[op] / plan.Memory.Capacity * Bar))}");
    }

    /// <summary>What a consumer of memory is, in a few words.</summary>
    public static string Meaning(string consumer) => consumer switch
    {
        "weights" => "as kernels read them, FP8 ones by rows and by columns",
        "gradients" => "added up over the micro-batches",
        "master_weights" => "this rank's share",
        "moments" => "this rank's share of both",
        "activations" => "what forwards keep for their backwards",
        "deferred_weight_gradients" => "operands of weight gradients that wait",
        "logits" => "of micro-batches between head and loss gradient",
        "working_set" => "of the layer that runs",
        _ => "rings of the communication kernels",
    };

    private static void Overlap(PlanLines lines, TrainingPlan plan)
    {
        if (plan.Pair is not { } pair)
        {
            lines.Add($"{plan.Schedule.Name} runs no forward beside a backward: all communication stands between the kernels.");
            return;
        }
        var sms = plan.Train.Schedule.CommSms;
        lines.Add($"A forward beside a backward in the middle of the pipeline: {pair.Span * 1e3:0.0} ms, compute on {plan.Train.Cluster.Gpu.Multiprocessors - sms} multiprocessors, communication on {sms}");
        lines.Add($"  compute {pair.Compute * 1e3:0.0} ms, communication {pair.Communication * 1e3:0.0} ms, of which {pair.Hidden * 1e3:0.0} ms ({pair.HiddenFraction:0.0%}) run while something computes");
        lines.Add($"  start ms   compute lane                        communication lane");
        foreach (var segment in pair.Segments.OrderBy(segment => segment.Start))
        {
            var text = FormattableString.Invariant($"{segment.Name} {segment.Layer}  {(segment.End - segment.Start) * 1e3:0.00}{(segment.Waited > 1e-9 ? FormattableString.Invariant($" (after {segment.Waited * 1e3:0.00} idle)") : "")}");
            lines.Add($"  {segment.Start * 1e3,8:0.00}   {(segment.Lane == Lane.Compute ? text : new string(' ', 36) + text)}");
        }
        if (plan.Exchange is not { } exchange) return;
        lines.Add($"  A token goes to at most {exchange.NodesPerToken:0.#} of {exchange.Nodes} nodes, once to each, {exchange.RemoteNodes:0.##} of them others than its own; {exchange.FreeExpertsPerNode:0.0} experts of a node cost no more than one");
        lines.Add($"  {exchange.Channels} channels; heaviest rank {exchange.RankLoad:0.00} x the mean ({exchange.Routing.Name})");
        foreach (var (name, hop) in new[] { ("dispatch", exchange.Dispatch), ("combine", exchange.Combine) })
            lines.Add($"  {name,-9} {hop.Format.ToString().ToLowerInvariant(),-8} {hop.BytesPerToken:0} bytes per token: adapter {hop.NicBytes / 1e6:0.0} MB, NVLink {hop.NvlinkBytes / 1e6:0.0} MB, {hop.Seconds * 1e3:0.00} ms alone, {hop.SecondsBesideCompute * 1e3:0.00} ms beside compute; limited by {hop.Bottleneck(plan.Train.Cluster)}");
        foreach (var role in exchange.Roles) lines.Add($"  {role.Kernel,-9} {role.Warps,2} of 32 warps of a channel: {role.Name}");
    }

    private static void Time(PlanLines lines, TrainingPlan plan)
    {
        var parts = plan.Parts(0);
        var published = plan.Published;
        lines.Add($"A step of {plan.PlannedSeconds:0.000} s, as rank 0 sees it");
        void Part(string name, double planned, double? measured) =>
            lines.Add($"  {name,-30} {planned,8:0.000} s{(measured is { } other ? FormattableString.Invariant($"   measured {other,7:0.000} s, {planned / other - 1:+0.0%;-0.0%}") : "")}");
        Part("forwards alone", parts.Forward, published?.Parts.Forward);
        Part("backwards alone", parts.Backward, published?.Parts.Backward);
        Part("weight gradients put off", parts.Weight, published?.Parts.Weight);
        Part("pairs", parts.Pairs, published?.Parts.Pairs);
        Part("bubble", parts.Bubble, published?.Parts.Bubble);
        Part("optimizer", parts.Optimizer, published?.Parts.Optimizer);
        Part("sum", parts.Seconds, published?.StepSeconds);
        var slowest = plan.Optimizers.MaxBy(step => step.Seconds)!;
        lines.Add($"  optimizer of rank {plan.Optimizers.IndexOf(slowest)}: gradients summed {slowest.Reduce:0.000} s, weights updated {slowest.Update:0.000} s and spread {slowest.Gather:0.000} s, through the adapters and the memory");
        if (published is not null) lines.Add($"  measured: {published.Source}; which rank is not said");
        lines.Add($"  Efficiencies (fraction of the peak of what limits the kernel, or of the link):");
        foreach (var row in (plan.Options.Efficiencies ?? EfficiencyTable.BuiltIn).Rows)
            lines.Add($"    {row.Class.Text(),-24} {(row.N == 0 ? "" : FormattableString.Invariant($"{row.N}x{row.K}")),-12} {row.Value,7:0.0000}  {row.Source}");
    }

    private static void Cost(PlanLines lines, TrainingPlan plan)
    {
        var (train, cost, step) = (plan.Train, plan.Cost, plan.StepSeconds);
        var (gpus, price) = (train.Cluster.Gpus, train.Cluster.DollarsPerGpuHour);
        lines.Add($"Cost of {train.Name} on {gpus} GPUs, steps of {step:0.000} s{(plan.Options.StepSeconds is null ? " as planned" : " as measured")}");
        lines.Add($"  {plan.TokensPerStep:N0} tokens / {step:0.000} s = {plan.TokensPerStep / step / 1e6:0.000} M tokens/s, {plan.Throughput.TokensPerDay / 1e9:0.00} B a day");
        lines.Add($"  1 T tokens / that x {gpus} GPUs = {plan.Throughput.GpuHoursPerTrillion / 1e3:0.0} thousand GPU hours, {plan.Throughput.GpuHoursPerTrillion / gpus / 24:0.0} days");
        foreach (var stage in cost.Stages)
        {
            var slower = 1 - plan.AttentionShare + plan.AttentionShare * stage.Sequence / train.Data.Sequence;
            lines.Add($"  {stage.Name}: {stage.Tokens / 1e12:0.0000} T tokens{(slower > 1 ? FormattableString.Invariant($", each taking {slower:0.00} times as long, as attention's core ({plan.AttentionShare:0.0%} of a layer at {train.Data.Sequence} tokens) grows {(double)stage.Sequence / train.Data.Sequence:0.#} times") : "")}: {stage.GpuHours / 1e3:N1} thousand GPU hours");
        }
        lines.Add($"  in all {cost.GpuHours / 1e3:N1} thousand GPU hours{(cost.Dollars is { } dollars ? FormattableString.Invariant($" x {price:0.##} $ = {dollars / 1e6:0.000} M$") : "")}; steps before the batch has grown are reckoned like those after");
        if (plan.Published is not { } run) return;
        var (own, longer) = (cost.Stages[0].GpuHours, cost.Stages.Skip(1).Sum(stage => stage.GpuHours));
        lines.Add($"  measured ({run.CostSource}): {run.RunHours / 1e3:0} thousand, the plan has {own / run.RunHours - 1:+0.0%;-0.0%}{(longer > 0 ? FormattableString.Invariant($"; longer sequences {run.ExtensionHours / 1e3:0} thousand, {longer / run.ExtensionHours - 1:+0.0%;-0.0%}: how they were laid out is not published") : "")}; {run.PostTrainingHours / 1e3:0} thousand of post-training are in no train block");
    }
}
