using System.Globalization;
using System.Text;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Schedules;
using ModelDsl.Simulation.Topologies;

namespace ModelDsl.Cli.Output;

/// <summary>A training plan for people.</summary>
internal static class TrainingPlanText
{
    private const int ProgramOps = 40;

    public static string Write(TrainingPlan plan)
    {
        var (costs, schedule, train) = (plan.Costs, plan.Schedule, plan.Train);
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        Line($"{train.Name}: {train.Model.Name} on {train.Cluster.Gpus} GPUs of {train.Cluster.Name}");
        Line($"  parameters        {costs.Parameters / 1e9:0.000} B, {costs.Active / 1e9:0.000} B active per token, MTP {costs.Mtp / 1e9:0.000} B more");
        Line($"  KV cache          {costs.KvBytesPerToken:N0} bytes per token (BF16)");
        Line($"  training          {costs.TrainingFlopsCausal / 1e9:0.00} GFLOPs per token causal, {costs.TrainingFlopsNonCausal / 1e9:0.00} non-causal, at {train.Data.Sequence} tokens");
        Line($"  step              {plan.TokensPerStep:N0} tokens: {plan.DataParallel} pipelines x {schedule.MicroBatches} micro-batches x {train.Data.Sequence}");
        var ranks = Enumerable.Range(0, schedule.Ranks).ToArray();
        Line($"  schedule          {schedule.Name}, {schedule.Ranks} ranks, at most {ranks.Max(rank => ScheduleValidator.PeakLive(schedule, rank))} micro-batches live on a rank");
        if (plan.Timeline is { } timeline)
        {
            var formula = BubbleFormula.Of(schedule, plan.Times!);
            Line($"  pipeline          {timeline.Makespan:0.###} s, bubble {ranks.Min(timeline.Bubble):0.###} to {ranks.Max(timeline.Bubble):0.###} s by rank");
            Line($"  bubble formula    {formula.Text} = {formula.Value:0.###} s");
        }
        if (plan.StepSeconds is { } step)
        {
            var throughput = plan.Throughput(step);
            Line($"  measured step     {step:0.###} s: {throughput.TokensPerDay / 1e9:0.00} B tokens/day, MFU {throughput.MfuCausal:0.00%} causal, {throughput.MfuNonCausal:0.00%} non-causal");
            Line($"  whole run         {train.Data.Tokens / 1e12:0.###} T tokens: {throughput.GpuHours / 1e3:N0} thousand GPU hours{(throughput.Dollars is { } dollars ? string.Create(CultureInfo.InvariantCulture, $", {dollars / 1e6:0.000} M$") : "")}");
        }
        if (NetworkTopology.Of(train.Cluster) is { } topology) TopologyText.Write(text, topology);
        Line($"  programs          F forward, B backward, Bi and W its input and weight half, FB both side by side");
        foreach (var rank in ranks)
        {
            var program = schedule.Programs[rank];
            Line($"    rank {rank,-3} {string.Join(' ', program.Take(ProgramOps))}{(program.Length > ProgramOps ? $" … {program.Length - ProgramOps} more" : "")}");
        }
        return text.ToString().TrimEnd();
    }
}
