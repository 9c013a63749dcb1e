using ModelDsl.Compiler.Diagnostics;

namespace ModelDsl.Compiler.Specs;

/// <summary>A training run: a model at a precision on a cluster, how it is spread and what it is fed.</summary>
public sealed record TrainSpec(
    string Name,
    ModelSpec Model,
    PrecisionSpec Precision,
    ClusterSpec Cluster,
    ParallelSpec Parallel,
    ScheduleSpec Schedule,
    DataSpec Data,
    BatchSpec Batch,
    OptimizerSpec Optimizer,
    EquatableArray<RatePhase> Rate,
    EquatableArray<StepValue> MtpWeight,
    EquatableArray<StepValue> BalanceRate,
    double? EmaDecay,
    EquatableArray<ExtendStage> Extensions,
    Origin Origin)
{
    /// <summary>Of one micro-batch.</summary>
    public long MicroBatchTokens => (long)Schedule.MicroBatchSize * Data.Sequence;
}

public enum DataSharding
{
    Replicated,
    Zero1,
    Zero2,
    Zero3,
}

public sealed record ParallelSpec(int Pipeline, int Expert, int Tensor, DataSharding Data, Origin Origin);

/// <param name="Kind"><c>gpipe</c>, <c>1f1b</c>, <c>interleaved</c>, <c>zb1p</c>, <c>dualpipe</c>, <c>dualpipev</c>.</param>
/// <param name="CommSms">Multiprocessors given to communication.</param>
/// <param name="MicroBatchSize">Sequences of one micro-batch.</param>
/// <param name="MicroBatches">Null: derived from the batch.</param>
public sealed record ScheduleSpec(string Kind, int CommSms, int MicroBatchSize, int? MicroBatches, Origin Origin);

/// <param name="FimRate">Share of documents turned into prefix-suffix-middle form; null: none.</param>
public sealed record DataSpec(double Tokens, int Sequence, string Packing, double? FimRate, Origin Origin);

/// <summary>Sequences per step, growing from <paramref name="From"/> to <paramref name="To"/> over the first tokens.</summary>
public sealed record BatchSpec(int From, int To, double OverTokens, Origin Origin);

public sealed record OptimizerSpec(string Kind, double Beta1, double Beta2, double Epsilon, double WeightDecay, double? Clip, Origin Origin);

public enum RateKind
{
    Warmup,
    Hold,
    Cosine,
}

/// <summary>One stretch of the learning-rate curve. Exactly one of the three ends is given.</summary>
public sealed record RatePhase(RateKind Kind, double? To, double? OverSteps, double? OverTokens, double? UntilTokens, Origin Origin);

/// <summary>A value that holds from a token count on.</summary>
public sealed record StepValue(double Value, double FromTokens, Origin Origin);

/// <summary>A later stage with its own sequence length, batch and rate (<c>extend … from</c>).</summary>
public sealed record ExtendStage(int Sequence, int Batch, int Steps, double Rate, Origin Origin);
