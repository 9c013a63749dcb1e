using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Simulation;

/// <summary>A training run as it is laid out: the model's costs, the pipeline's schedule and how a step runs.</summary>
/// <param name="DataParallel">Copies of the pipeline, each with its own micro-batches of one sequence.</param>
/// <param name="Times">Of the ops of one rank, seconds; null: not known, and then nothing is timed.</param>
/// <param name="StepSeconds">Measured length of a step; null: not measured.</param>
public sealed record TrainingPlan(TrainSpec Train, ModelCosts Costs, Schedule Schedule, int DataParallel, OpTimes? Times, double? StepSeconds)
{
    /// <summary>Micro-batches of one pipeline in a step of the full batch, as far as the file does not say.</summary>
    public static int MicroBatches(TrainSpec train) => train.Schedule.MicroBatches ?? Math.Max(1, train.Batch.To / Replicas(train));

    /// <summary>Pipelines side by side.</summary>
    public static int Replicas(TrainSpec train) => Math.Max(1, train.Cluster.Gpus / (train.Parallel.Pipeline * train.Parallel.Tensor));

    /// <exception cref="ArgumentException">The schedule cannot be made; see <see cref="ScheduleCatalogue.Problem"/>.</exception>
    public static TrainingPlan Of(TrainSpec train, OpTimes? times = null, double? stepSeconds = null) => new(
        train,
        ModelCosts.Of(train.Model, train.Data.Sequence),
        ScheduleCatalogue.Make(train.Schedule.Kind, train.Parallel.Pipeline, MicroBatches(train)),
        Replicas(train), times, stepSeconds);

    /// <summary>Of one step at the full batch.</summary>
    public double TokensPerStep => (double)DataParallel * Schedule.MicroBatches * Train.Data.Sequence;

    /// <summary>How a step runs; null where times are not known.</summary>
    public Timeline? Timeline => Times is null ? null : ScheduleSimulation.Run(Schedule, Times);

    /// <summary>What a step of that length comes to.</summary>
    public Throughput Throughput(double stepSeconds)
    {
        var tokens = TokensPerStep / stepSeconds;
        var peak = Train.Cluster.Gpus * Train.Cluster.Gpu.Bf16FlopsPerSecond;
        var hours = Train.Data.Tokens / tokens * Train.Cluster.Gpus / 3600;
        return new Throughput(
            tokens * 86400, tokens * Costs.TrainingFlopsCausal / peak, tokens * Costs.TrainingFlopsNonCausal / peak,
            hours, Train.Cluster.DollarsPerGpuHour * hours);
    }
}

/// <param name="MfuCausal">Share of the cluster's BF16 peak; half of the attention matrix counts.</param>
/// <param name="MfuNonCausal">The same, all of it counts.</param>
/// <param name="GpuHours">For all tokens of the run at this speed.</param>
/// <param name="Dollars">Null where the cluster has no price.</param>
public sealed record Throughput(double TokensPerDay, double MfuCausal, double MfuNonCausal, double GpuHours, double? Dollars);
