using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Memory;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Overlap;
using ModelDsl.Simulation.Schedules;
using ModelDsl.Simulation.Time;

namespace ModelDsl.Simulation;

/// <summary>A training run as it is laid out: what it takes, where it waits, what it holds and what it costs.</summary>
/// <param name="Work">Of the model's blocks.</param>
/// <param name="DataParallel">Copies of the pipeline, each with its own micro-batches.</param>
/// <param name="Stages">Of the model, first to last.</param>
/// <param name="Times">Of the ops of every rank, seconds.</param>
/// <param name="Timeline">A step as it runs, the optimizer apart.</param>
/// <param name="Pair">The overlapped pair of the pipeline's middle; null where the schedule overlaps none.</param>
/// <param name="Exchange">Of tokens among experts; null where every rank has all.</param>
/// <param name="Optimizers">Of every rank.</param>
/// <param name="AttentionShare">Of the compute of the layers, the part that grows with the sequence.</param>
public sealed record TrainingPlan(
    TrainSpec Train, PlanOptions Options, TrainingWork Work, Schedule Schedule, int DataParallel, ImmutableArray<Stage> Stages, RankTimes Times,
    Timeline Timeline, ChunkPair? Pair, AllToAll? Exchange, ImmutableArray<OptimizerStep> Optimizers, MemoryPlan Memory, double AttentionShare)
{
    private const double HardlySlower = 1.01;

    /// <summary>Micro-batches of one pipeline in a step of the full batch, as far as the file does not say.</summary>
    public static int MicroBatches(TrainSpec train) => train.Schedule.MicroBatches ?? (int)Math.Max(1, train.Batch.To / ((long)Replicas(train) * train.Schedule.MicroBatchSize));

    /// <summary>Pipelines side by side.</summary>
    public static int Replicas(TrainSpec train) =>
        Math.Max(1, train.Cluster.Gpus / (ScheduleRules.Ranks(train.Schedule.Kind, train.Parallel.Pipeline) * train.Parallel.Tensor));

    /// <exception cref="ArgumentException">The schedule cannot be made; see <see cref="ScheduleCatalogue.Problem"/>.</exception>
    public static TrainingPlan Of(TrainSpec train, PlanOptions? options = null) => Of(train, TrainingWork.Of(train), options);

    /// <summary>One layout of many: what does not depend on it is given.</summary>
    /// <param name="work">Of the run's model, precision, sequence length and tensor-parallel ranks.</param>
    /// <exception cref="ArgumentException">
    /// The schedule cannot be made, or stages not be cut like that; see <see cref="ScheduleCatalogue.Problem"/>, <see cref="StageLayout.Problem"/>.
    /// </exception>
    public static TrainingPlan Of(TrainSpec train, TrainingWork work, PlanOptions? options = null)
    {
        options ??= PlanOptions.None;
        var (efficiencies, routing) = (options.Efficiencies ?? EfficiencyTable.BuiltIn, options.Routing ?? RoutingLoad.Balanced);
        var schedule = ScheduleCatalogue.Make(train.Schedule.Kind, train.Parallel.Pipeline, MicroBatches(train));
        var replicas = Replicas(train);
        var timer = new BlockTimer(train, efficiencies, routing, options.LayerTimes);
        var exchange = AllToAll.Of(train, work.Layers.Select(layer => layer.Moe).FirstOrDefault(moe => moe is not null), routing, efficiencies);
        var attention = RunCost.AttentionShare(work, timer.Roofline, train);
        var layouts = options.StageLayers is { } layers
            ? StageLayout.Problem(train.Model, schedule.Placement.Stages, layers) is { } problem ? throw new ArgumentException(problem) : [StageLayout.Of(work, layers)]
            : Layouts(work, schedule, timer);
        return Best([.. layouts.Select(stages =>
        {
            var times = options.Times is { } given ? RankTimes.Uniform(schedule, given) : PipelineTimes.Of(train, schedule, stages, timer, efficiencies);
            var timeline = ScheduleSimulation.Run(schedule, times);
            var held = Enumerable.Range(0, schedule.Ranks).Select(rank => (IReadOnlyList<Stage>)
                [.. Enumerable.Range(0, schedule.Placement.PartsPerRank).Select(part => stages[schedule.Placement.Of(rank, part).Stage])]).ToArray();
            return new TrainingPlan(
                train, options, work, schedule, replicas, stages, times, timeline, PipelineTimes.MiddlePair(schedule, stages, timer), exchange,
                [.. held.Select(own => OptimizerStep.Of(train, schedule, own, replicas, efficiencies))],
                MemoryPlan.Of(train, schedule, stages, replicas, exchange, timeline), attention);
        })]);
    }

    /// <summary>The layout's plan if it fits in the memory; what cannot fit is seen before any time is reckoned. Null: it does not fit.</summary>
    /// <exception cref="ArgumentException">The schedule cannot be made; see <see cref="ScheduleCatalogue.Problem"/>.</exception>
    public static TrainingPlan? OfFitting(TrainSpec train, TrainingWork work, PlanOptions options)
    {
        var schedule = ScheduleCatalogue.Make(train.Schedule.Kind, train.Parallel.Pipeline, MicroBatches(train));
        var timer = new BlockTimer(train, options.Efficiencies ?? EfficiencyTable.BuiltIn, options.Routing ?? RoutingLoad.Balanced, options.LayerTimes);
        var replicas = Replicas(train);
        // What the schedule keeps at once, though perhaps of the part that keeps least, beside all that stays.
        int[] live = [.. Enumerable.Range(0, schedule.Ranks).Select(rank => ScheduleValidator.PeakLive(schedule, rank))];
        bool Holds(ImmutableArray<Stage> stages, int rank)
        {
            Stage[] held = [.. Enumerable.Range(0, schedule.Placement.PartsPerRank).Select(part => stages[schedule.Placement.Of(rank, part).Stage])];
            var state = StateMemory.Of(train, schedule, held, replicas, shareEmbeddings: true);
            var saved = held.Min(stage => ChunkMemory.Of(stage, train.Schedule.MicroBatchSize, load: 1).Saved);
            return state.Weights + state.Gradients + state.Master + state.Moments + live[rank] * saved <= train.Cluster.Gpu.MemoryBytes;
        }

        if (!Layouts(work, schedule, timer).Any(stages => Enumerable.Range(0, schedule.Ranks).All(rank => Holds(stages, rank)))) return null;
        return Of(train, work, options) is { Memory.Fits: true } plan ? plan : null;
    }

    /// <summary>Ways to cut the model into stages.</summary>
    private static IEnumerable<ImmutableArray<Stage>> Layouts(TrainingWork work, Schedule schedule, BlockTimer timer)
    {
        var mirrored = schedule.Placement.PartsPerRank == 2 && schedule.Placement.Of(0, 1).Stage == schedule.Placement.Stages - 1;
        return StageLayout.Of(work, schedule.Placement.Stages, timer.Compute, mirrored);
    }

    /// <summary>Of layouts that differ in their stages the quickest that fits; of those that are hardly slower the one that leaves most memory.</summary>
    private static TrainingPlan Best(ImmutableArray<TrainingPlan> plans)
    {
        var fitting = plans.Where(plan => plan.Memory.Fits).ToArray();
        if (fitting.Length == 0) return plans.MinBy(plan => plan.Memory.Peak)!;
        var quickest = fitting.Min(plan => plan.PlannedSeconds);
        return fitting.Where(plan => plan.PlannedSeconds <= HardlySlower * quickest).MinBy(plan => plan.Memory.Peak)!;
    }

    public ModelCosts Costs => Work.Costs;

    /// <summary>Of one step at the full batch.</summary>
    public double TokensPerStep => (double)DataParallel * Schedule.MicroBatches * Train.MicroBatchTokens;

    /// <summary>Seconds from the end of the pipeline to the end of the step.</summary>
    public double OptimizerSeconds => OptimizerStep.Exposed(Timeline, Optimizers);

    /// <summary>Seconds of a step, as planned.</summary>
    public double PlannedSeconds => Timeline.Makespan + OptimizerSeconds;

    /// <summary>Seconds of a step: measured, or else as planned.</summary>
    public double StepSeconds => Options.StepSeconds ?? PlannedSeconds;

    /// <summary>What the plan is held against: the measurement that was given, or a published one of this very run.</summary>
    public (string Source, double Seconds)? Measured => Options.StepSeconds is { } seconds ? ("--step", seconds)
        : Published is { } run ? (run.Source, run.StepSeconds) : null;

    /// <summary>Null where nothing was published, or the plan is of other routing than that run's.</summary>
    public PublishedRun? Published => Options.Routing is { Layers.IsEmpty: false } ? null : PublishedRun.Of(Train, Costs.Parameters);

    /// <summary>Measured less planned, seconds: what the plan does not explain. Null where nothing was measured.</summary>
    public double? Residual => Measured?.Seconds - PlannedSeconds;

    public StepParts Parts(int rank) => StepParts.Of(Timeline, rank, OptimizerSeconds);

    /// <summary>The mean of what the ranks' ops take: what the bubble's formula is about.</summary>
    public OpTimes MeanTimes
    {
        get
        {
            var all = Times.Ranks.SelectMany(rank => rank).ToArray();
            return new OpTimes(
                all.Average(times => times.Forward), all.Average(times => times.BackwardInput), all.Average(times => times.BackwardWeight),
                all.Average(times => times.Overlapped));
        }
    }

    /// <summary>What a rank holds at every entry of its program.</summary>
    public ImmutableArray<MemorySample> MemoryOverTime(int rank) => MemoryPlan.OverTime(Train, Schedule, Stages, DataParallel, Exchange, Timeline, rank);

    /// <summary>What each of the recipe's savings is worth. Plans the memory once more for each.</summary>
    public ImmutableArray<MemorySaving> Savings => MemorySavings.Of(Train, Memory, (train, share) =>
    {
        var stages = Stages;
        if (train.Precision != Train.Precision)
        {
            var other = TrainingWork.Of(train);
            stages = [.. Stages.Select(stage => stage with { Blocks = [.. stage.Blocks.Select(block => Work.Counterpart(block, other))] })];
        }
        return MemoryPlan.Of(train, Schedule, stages, DataParallel, Exchange, null, share);
    });

    /// <summary>What steps of that length come to.</summary>
    public Throughput Throughput => ThroughputAt(StepSeconds);

    public RunCost Cost => RunCost.Of(Train, TokensPerStep / StepSeconds, AttentionShare);

    private Throughput ThroughputAt(double stepSeconds)
    {
        var tokens = TokensPerStep / stepSeconds;
        var peak = Train.Cluster.Gpus * Train.Cluster.Gpu.Bf16FlopsPerSecond;
        return new Throughput(tokens * 86400, tokens * Costs.TrainingFlopsCausal / peak, tokens * Costs.TrainingFlopsNonCausal / peak,
            Train.Cluster.Gpus / 3600.0 * 1e12 / tokens);
    }
}

/// <param name="MfuCausal">Share of the cluster's BF16 peak; half of the attention matrix counts.</param>
/// <param name="MfuNonCausal">The same, all of it counts.</param>
/// <param name="GpuHoursPerTrillion">For a trillion tokens.</param>
public sealed record Throughput(double TokensPerDay, double MfuCausal, double MfuNonCausal, double GpuHoursPerTrillion);
