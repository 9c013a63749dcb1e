using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.WhatIf;

/// <summary>A way to spread a training run: what a search varies.</summary>
/// <param name="MicroBatchSize">Sequences of a micro-batch: larger ones read weights less often and announce fewer exchanges, and leave fewer to fill the pipeline.</param>
/// <param name="Recompute">Of the policy's cache, joined by plus signs; empty: nothing, or a policy without one.</param>
public sealed record Layout(int Nodes, int Pipeline, int Expert, int Tensor, string Schedule, int MicroBatchSize, string Recompute)
{
    /// <summary>The run on this layout.</summary>
    /// <param name="precision">The run's, with this recomputation.</param>
    public TrainSpec Apply(TrainSpec train, PrecisionSpec precision) => train with
    {
        Precision = precision,
        Cluster = train.Cluster with { Nodes = Nodes },
        Parallel = train.Parallel with { Pipeline = Pipeline, Expert = Expert, Tensor = Tensor },
        Schedule = train.Schedule with { Kind = Schedule, MicroBatchSize = MicroBatchSize, MicroBatches = null },
    };

    /// <summary>Whether everything divides and the schedule works.</summary>
    public bool IsPossible(TrainSpec train)
    {
        var gpus = (long)Nodes * train.Cluster.Node.Gpus;
        var replica = (long)ScheduleRules.Ranks(Schedule, Pipeline) * Tensor;
        if (gpus % replica != 0 || gpus / replica % Expert != 0 || train.Batch.To % (gpus / replica * MicroBatchSize) != 0) return false;
        var batches = train.Batch.To / (gpus / replica * MicroBatchSize);
        return batches >= 1 && batches * Pipeline <= LayoutSearch.MostOps && !ScheduleRules.Problems(Schedule, Pipeline, batches).Any();
    }
}

/// <summary>A layout and what it comes to.</summary>
/// <param name="MemoryBytes">Of the fullest rank.</param>
public sealed record LayoutResult(
    Layout Layout, int Gpus, int MicroBatches, int DataParallel, double StepSeconds, double MemoryBytes, double MfuCausal, double GpuHours, double? Dollars)
{
    public static LayoutResult Of(Layout layout, TrainingPlan plan) => new(
        layout, plan.Train.Cluster.Gpus, plan.Schedule.MicroBatches, plan.DataParallel, plan.PlannedSeconds, plan.Memory.Peak,
        plan.Throughput.MfuCausal, plan.Cost.GpuHours, plan.Cost.Dollars);

    /// <summary>As good in everything, and better in something.</summary>
    public bool Dominates(LayoutResult other) =>
        StepSeconds <= other.StepSeconds && MemoryBytes <= other.MemoryBytes && Gpus <= other.Gpus
        && (StepSeconds < other.StepSeconds || MemoryBytes < other.MemoryBytes || Gpus < other.Gpus);
}
