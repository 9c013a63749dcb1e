using System.Globalization;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Schedules;
using ModelDsl.Simulation.Topologies;
using static ModelDsl.Cli.Output.PlanLines;

namespace ModelDsl.Cli.Output;

/// <summary>A training plan for people: what a team asks before it rents the GPUs.</summary>
internal static class TrainingPlanText
{
    public static string Write(TrainingPlan plan)
    {
        var (costs, schedule, train) = (plan.Costs, plan.Schedule, plan.Train);
        var lines = new PlanLines();
        lines.Add($"{train.Name}: {train.Model.Name} on {train.Cluster.Gpus} GPUs of {train.Cluster.Name}");
        lines.Add("parameters", $"{costs.Parameters / 1e9:0.000} B, {costs.Active / 1e9:0.000} B active per token, MTP {costs.Mtp / 1e9:0.000} B more");
        lines.Add("KV cache", $"{costs.KvBytesPerToken:N0} bytes per token (BF16)");
        lines.Add("training", $"{costs.TrainingFlopsCausal / 1e9:0.00} GFLOPs per token causal, {costs.TrainingFlopsNonCausal / 1e9:0.00} non-causal, at {train.Data.Sequence} tokens");
        lines.Add("step", $"{plan.TokensPerStep:N0} tokens: {plan.DataParallel} pipelines x {schedule.MicroBatches} micro-batches x {(train.Schedule.MicroBatchSize == 1 ? "" : $"{train.Schedule.MicroBatchSize} sequences x ")}{train.Data.Sequence}");
        Memory(lines, plan);
        Overlap(lines, plan);
        Pipeline(lines, plan);
        Time(lines, plan);
        Cost(lines, plan);
        if (NetworkTopology.Of(train.Cluster) is { } topology) lines.Add(text => TopologyText.Write(text, topology));
        lines.Add($"  More: --explain bubble, memory, overlap, time or cost; --json for all of it, the programs of the ranks among them.");
        return lines.ToString();
    }

    private static void Memory(PlanLines lines, TrainingPlan plan)
    {
        var memory = plan.Memory;
        var fullest = memory.Ranks[memory.FullestRank];
        var largest = string.Join(", ", fullest.Consumers.OrderByDescending(consumer => consumer.Bytes).Take(3)
            .Select(consumer => $"{Words(consumer.Name)} {Gigabytes(consumer.Bytes)}"));
        lines.Add("fits", $"{(memory.Fits ? "yes" : "NO")}: {Gigabytes(memory.Peak)} of {Gigabytes(memory.Capacity)} on rank {memory.FullestRank}, the fullest ({largest})");
    }

    private static void Overlap(PlanLines lines, TrainingPlan plan)
    {
        if (plan.Exchange is { } exchange)
            lines.Add("exchange", $"a token goes to {exchange.NodesPerToken:0.#} of {exchange.Nodes} nodes: dispatch {exchange.Dispatch.NicBytes / 1e6:0} MB, combine {exchange.Combine.NicBytes / 1e6:0} MB per GPU and micro-batch, routing {exchange.Routing.Name}");
        if (plan.Pair is { } pair)
            lines.Add("overlap", $"{pair.HiddenFraction:0.0%} of {pair.Communication * 1e3:0.0} ms of communication hides behind {pair.Compute * 1e3:0.0} ms of compute: a pair takes {pair.Span * 1e3:0.0} ms");
    }

    private static void Pipeline(PlanLines lines, TrainingPlan plan)
    {
        var (schedule, timeline) = (plan.Schedule, plan.Timeline);
        var ranks = Enumerable.Range(0, schedule.Ranks).ToArray();
        lines.Add("schedule", $"{schedule.Name}, {schedule.Ranks} ranks, at most {ranks.Max(rank => ScheduleValidator.PeakLive(schedule, rank))} micro-batches live on a rank");
        var layers = string.Join(',', plan.Stages.Select(stage => stage.Layers));
        lines.Add("stages", $"layers {layers}; the embedding in the first, the head{(plan.Train.Model.MtpDepth > 0 ? " and MTP" : "")} in the last");
        var formula = BubbleFormula.Of(schedule, plan.MeanTimes);
        lines.Add("bubble", $"{ranks.Min(timeline.Bubble):0.###} to {ranks.Max(timeline.Bubble):0.###} s by rank in {timeline.Makespan:0.###} s; {formula.Text} = {formula.Value:0.###} s of equal ranks");
    }

    private static void Time(PlanLines lines, TrainingPlan plan)
    {
        var parts = plan.Parts(0);
        lines.Add("time", $"{plan.PlannedSeconds:0.###} s a step; rank 0: forward {parts.Forward:0.00}, backward {parts.Backward:0.00}, weights {parts.Weight:0.00}, pairs {parts.Pairs:0.00}, bubble {parts.Bubble:0.00}, optimizer {parts.Optimizer:0.00}");
        if (plan.Measured is { } measured)
            lines.Add("measured", $"{measured.Seconds:0.###} s ({measured.Source}): {plan.Residual:+0.###;-0.###} s ({plan.Residual / measured.Seconds:+0.0%;-0.0%}) that the plan does not explain");
        var throughput = plan.Throughput;
        lines.Add("throughput", $"{throughput.TokensPerDay / 1e9:0.00} B tokens/day, MFU {throughput.MfuCausal:0.00%} causal, {throughput.MfuNonCausal:0.00%} non-causal{(plan.Options.StepSeconds is null ? "" : ", as measured")}");
    }

    private static void Cost(PlanLines lines, TrainingPlan plan)
    {
        var cost = plan.Cost;
        static string Money(double? dollars) => dollars is { } price ? string.Create(CultureInfo.InvariantCulture, $", {price / 1e6:0.000} M$") : "";
        lines.Add("cost", $"{cost.GpuHours / 1e3:N0} thousand GPU hours{Money(cost.Dollars)}; {plan.Throughput.GpuHoursPerTrillion / 1e3:0.0} thousand per T tokens");
        foreach (var stage in cost.Stages.Where(_ => cost.Stages.Length > 1))
            lines.Add("", $"{stage.Name}: {stage.Tokens / 1e12:0.###} T tokens of {stage.Sequence}, {stage.GpuHours / 1e3:N0} thousand GPU hours{Money(stage.Dollars)}");
    }
}
