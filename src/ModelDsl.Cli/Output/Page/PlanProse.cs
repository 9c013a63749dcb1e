using System.Globalization;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Schedules;
using static ModelDsl.Cli.Output.PlanLines;

namespace ModelDsl.Cli.Output.Page;

/// <summary>The sentences of a plan's page, for somebody who sees one for the first time.</summary>
internal static class PlanProse
{
    private const string Beside = "it runs a forward of one beside a backward of the other (FB), so that the exchange of tokens in one hides behind the "
        + "computation of the other.";

    public static string Subtitle(TrainingPlan plan) => Text(
        $"{plan.Costs.Parameters / 1e9:0.0} B parameters, {plan.Costs.Active / 1e9:0.0} B active per token.",
        $"{plan.DataParallel} pipelines side by side, each of {plan.Schedule.Ranks} ranks, experts over {plan.Train.Parallel.Expert} GPUs;",
        $"a step reads {plan.TokensPerStep / 1e6:0.0} million tokens.");

    /// <summary>The answers first: each with a word on what it means.</summary>
    public static object[] Verdicts(TrainingPlan plan)
    {
        var (memory, ranks) = (plan.Memory, Enumerable.Range(0, plan.Schedule.Ranks).ToArray());
        var bubble = ranks.Average(plan.Timeline.Bubble) / plan.PlannedSeconds;
        List<object> verdicts =
        [
            Verdict("Does it fit?", memory.Fits ? "yes" : "no", $"{Gigabytes(memory.Peak)} of {Gigabytes(memory.Capacity)} on the fullest GPU", memory.Fits),
            Verdict("A step takes", Invariant($"{plan.PlannedSeconds:0.00} s"), plan.Measured is { } measured
                ? Invariant($"measured: {measured.Seconds:0.00} s, {plan.Residual / measured.Seconds:+0.0%;-0.0%} beside the plan") : "as planned; nothing was measured"),
            Verdict("GPUs wait", Invariant($"{bubble:0.0%}"), "of the step, on average: the bubble"),
        ];
        if (plan.Pair is { } pair)
            verdicts.Add(Verdict("Communication hidden", Invariant($"{pair.HiddenFraction:0.0%}"), "of the exchange among experts runs behind computation"));
        verdicts.Add(Verdict("Use of the GPUs", Invariant($"{plan.Throughput.MfuCausal:0.0%}"), "of their BF16 peak (MFU, half of the attention matrix counts)"));
        verdicts.Add(Verdict("The whole run", plan.Cost.Dollars is { } dollars ? Invariant($"{dollars / 1e6:0.00} M$") : Invariant($"{plan.Cost.GpuHours / 1e3:N0} k GPU h"),
            Invariant($"{plan.Cost.GpuHours / 1e3:N0} thousand GPU hours, {plan.Cost.GpuHours / plan.Train.Cluster.Gpus / 24:0.0} days")));
        return [.. verdicts];
    }

    public static string Step(TrainingPlan plan)
    {
        var bubbles = Enumerable.Range(0, plan.Schedule.Ranks).Select(plan.Timeline.Bubble).ToArray();
        return Text(
            $"A row is a rank of the pipeline, with the numbers of the stages of the model that it holds; time runs to the right.",
            $"{plan.Schedule.MicroBatches} micro-batches of {plan.Train.MicroBatchTokens:N0} tokens go through all stages forward and back.",
            $"Grey is waiting: between {bubbles.Min():0.00} and {bubbles.Max():0.00} s of {plan.Timeline.Makespan:0.00} s, by rank.",
            $"Then the optimizer takes {plan.OptimizerSeconds:0.00} s.");
    }

    public static string[] StepExplained(TrainingPlan plan)
    {
        var (schedule, formula) = (plan.Schedule, BubbleFormula.Of(plan.Schedule, plan.MeanTimes));
        List<string> lines =
        [
            Text(
                $"F: a micro-batch goes forward through a stage. B: its gradients come back through it, for the stage's inputs and for its weights.",
                $"Bi and W are those two halves apart: the inputs' gradients are what the rank before is waiting for,",
                $"the weights' can be put off into a gap."),
            schedule.Name switch
            {
                "dualpipe" => "DualPipe feeds the pipeline from both ends: every rank holds one stage of each direction. Where the two meet, " + Beside,
                "dualpipev" => "DualPipeV folds the pipeline: every rank holds one stage of the way there and one of the way back. In between, " + Beside,
                "zb1p" => "The zero-bubble schedule fills the gaps at both ends with gradients of weights.",
                "gpipe" => "All forwards come first, then all backwards: simple, and every micro-batch's activations are kept till then.",
                "interleaved" => "Every rank holds two stages that lie far apart, so that the first results come round sooner and gaps are half as long.",
                _ => "Every rank alternates one forward and one backward as soon as it can, so that few activations are kept.",
            },
            "The gaps: at first the later stages have nothing to do yet, at the end the earlier ones nothing any more; in between, ranks wait for the slowest stage. "
                + Invariant($"Were all stages equal and the network free, the bubble would be {formula.Text} = {formula.Value:0.00} s."),
        ];
        return [.. lines];
    }

    public static string Overlap(TrainingPlan plan) => plan.Pair is not { } pair
        ? $"{plan.Schedule.Name} runs no forward beside a backward: the exchange of tokens among experts stands between the kernels, and hides behind nothing."
        : Text(
            $"One FB from the middle of the pipeline, magnified.",
            $"{plan.Train.Cluster.Gpu.Multiprocessors - plan.Train.Schedule.CommSms} of a GPU's multiprocessors compute,",
            $"{plan.Train.Schedule.CommSms} send tokens to their experts (dispatch) and bring results back (combine).",
            $"Of {pair.Communication * 1e3:0.0} ms of communication {pair.Hidden * 1e3:0.0} ms run while something computes: {pair.HiddenFraction:0.0%} hidden.",
            $"Grey is a lane that waits for the other.");

    public static string Memory(TrainingPlan plan)
    {
        var live = ScheduleValidator.PeakLive(plan.Schedule, plan.Memory.FullestRank);
        return Text(
            $"What a GPU of a rank holds from the first op to the last. Weights, gradients and the optimizer's share are always there;",
            $"activations come with every forward and go with its backward: up to {live} micro-batches are in flight on the fullest rank at once.",
            $"The dashed line is what a GPU has; the driver, libraries and fragmentation need some of what is left.");
    }

    public static string Time(TrainingPlan plan) => Text(
        $"{plan.Throughput.TokensPerDay / 1e9:0.0} billion tokens a day, {plan.Throughput.GpuHoursPerTrillion / 1e3:0.0} thousand GPU hours for a trillion.",
        $"{(plan.Measured is { } measured ? $"Held against: {measured.Source}." : "")}");

    private static object Verdict(string label, string value, string note, bool? good = null) => new { label, value, note, good };

    /// <summary>Sentences and parts of them.</summary>
    private static string Text(params FormattableString[] parts) => string.Join(' ', parts.Select(Invariant)).TrimEnd();

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
