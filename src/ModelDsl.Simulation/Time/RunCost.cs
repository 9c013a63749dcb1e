using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;

namespace ModelDsl.Simulation.Time;

/// <summary>One stretch of a run: its tokens, what they take and what that costs.</summary>
/// <param name="Sequence">Tokens that attend to each other.</param>
/// <param name="Dollars">Null where the cluster has no price.</param>
public sealed record CostStage(string Name, int Sequence, double Tokens, double GpuHours, double? Dollars);

/// <summary>
/// What a run costs, stage by stage. A stage of longer sequences is reckoned at the speed of the run that it extends, each token slower by what
/// its attention grows: it assumes that a sequence is divided so that as many GPUs work on it as would on shorter ones.
/// </summary>
public sealed record RunCost(ImmutableArray<CostStage> Stages)
{
    public double GpuHours => Stages.Sum(stage => stage.GpuHours);

    public double? Dollars => Stages.Any(stage => stage.Dollars is null) ? null : Stages.Sum(stage => stage.Dollars);

    /// <param name="tokensPerSecond">Of the run itself, all GPUs together.</param>
    /// <param name="attentionShare">Of the compute of a layer at the run's own sequence length, the part that grows with it.</param>
    public static RunCost Of(TrainSpec train, double tokensPerSecond, double attentionShare)
    {
        CostStage Stage(string name, int sequence, double tokens)
        {
            var slower = 1 - attentionShare + attentionShare * sequence / train.Data.Sequence;
            var hours = tokens / tokensPerSecond * slower * train.Cluster.Gpus / 3600;
            return new CostStage(name, sequence, tokens, hours, train.Cluster.DollarsPerGpuHour * hours);
        }

        return new RunCost(
        [
            Stage(train.Name, train.Data.Sequence, train.Data.Tokens),
            .. train.Extensions.Select(stage => Stage($"extended to {stage.Sequence}", stage.Sequence, (double)stage.Sequence * stage.Batch * stage.Steps)),
        ]);
    }

    /// <summary>Of a step's kernels, those of attention's core.</summary>
    public static double AttentionShare(TrainingWork work, Roofline roofline, TrainSpec train)
    {
        double core = 0, all = 0;
        foreach (var block in work.Layers)
            foreach (var kernel in block.Kernels)
            {
                var seconds = roofline.Seconds([kernel], train.Schedule.MicroBatchSize, 1, train.Parallel.Expert);
                all += seconds;
                if (kernel.Class is WorkClass.AttentionForward or WorkClass.AttentionBackward) core += seconds;
            }
        return all == 0 ? 0 : core / all;
    }
}
