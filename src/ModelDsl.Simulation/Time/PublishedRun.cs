using ModelDsl.Compiler.Specs;

namespace ModelDsl.Simulation.Time;

/// <summary>A run whose step was measured and published: what a plan of the same run is held against.</summary>
/// <param name="Source">Where.</param>
/// <param name="Parts">As published; their sum leaves a little of the step unexplained.</param>
/// <param name="StepSeconds">As published.</param>
/// <param name="CostSource">Where its GPU hours are published.</param>
/// <param name="RunHours">GPU hours of the run itself.</param>
/// <param name="ExtensionHours">Of the stages of longer sequences.</param>
/// <param name="PostTrainingHours">Of what came after, which no train block describes.</param>
public sealed record PublishedRun(
    string Source, StepParts Parts, double StepSeconds, string CostSource, double RunHours, double ExtensionHours, double PostTrainingHours)
{
    private static PublishedRun DeepSeekV3 { get; } = new(
        "ISCA 2025 (arXiv 2505.09343), table 4, MPFT", new StepParts(1.13, 1.99, 0.48, 13.95, 2.06, 0.29), 19.926,
        "V3 report, table 1", 2664e3, 119e3, 5e3);

    /// <summary>The published run that a plan describes; null: none.</summary>
    public static PublishedRun? Of(TrainSpec train, double parameters) =>
        (train.Cluster.Gpu.Name, train.Cluster.Gpus, train.Parallel.Pipeline, train.Parallel.Expert, train.Parallel.Tensor) == ("h800", 2048, 16, 64, 1)
        && (train.Schedule.Kind, train.Schedule.MicroBatchSize, train.Schedule.MicroBatches, train.Batch.To, train.Data.Sequence) == ("dualpipe", 1, null, 15360, 4096)
        && (train.Parallel.Data, train.Schedule.CommSms, train.Precision.Gemm.Format) == (DataSharding.Zero1, 20, NumberFormat.E4M3)
        && parameters == 671_026_419_200
            ? DeepSeekV3
            : null;
}
