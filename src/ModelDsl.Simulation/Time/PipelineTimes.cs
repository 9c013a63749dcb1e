using System.Collections.Immutable;
using ModelDsl.Compiler.Specs;
using ModelDsl.Simulation.Costs;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Overlap;
using ModelDsl.Simulation.Schedules;

namespace ModelDsl.Simulation.Time;

/// <summary>Blocks' times put together to those of the ops of every rank.</summary>
public static class PipelineTimes
{
    public static RankTimes Of(TrainSpec train, Schedule schedule, ImmutableArray<Stage> stages, BlockTimer timer, EfficiencyTable efficiencies)
    {
        var overlaps = Overlaps(schedule);
        return new RankTimes(
            [
                .. Enumerable.Range(0, schedule.Ranks).Select(rank => Enumerable.Range(0, schedule.Placement.PartsPerRank).Select(part =>
                {
                    var blocks = Alone(stages[StageOf(schedule, rank, part)], timer);
                    return new OpTimes(
                        blocks.Sum(block => block.Forward), blocks.Sum(block => block.BackwardInput), blocks.Sum(block => block.ComputeWeight),
                        overlaps ? Pair(schedule, stages, timer, rank, part).Span : 0);
                }).ToImmutableArray()),
            ], Transfer(train, efficiencies));
    }

    /// <summary>A forward of the rank's first part beside a backward of its second, where the pipeline's two directions meet.</summary>
    public static ChunkPair? MiddlePair(Schedule schedule, ImmutableArray<Stage> stages, BlockTimer timer) =>
        Overlaps(schedule) ? Pair(schedule, stages, timer, (schedule.Ranks - 1) / 2, 0) : null;

    private static bool Overlaps(Schedule schedule) => schedule.Name.StartsWith("dualpipe", StringComparison.Ordinal);

    private static ChunkPair Pair(Schedule schedule, ImmutableArray<Stage> stages, BlockTimer timer, int rank, int part)
    {
        var (forward, backward) = (stages[StageOf(schedule, rank, part)], stages[StageOf(schedule, rank, 1 - part)]);
        return timer.SideBySide
            ? ChunkPair.Of(Beside(forward, timer), Beside(backward, timer))
            : ChunkPair.Of(Alone(forward, timer), Alone(backward, timer), sideBySide: false);
    }

    private static int StageOf(Schedule schedule, int rank, int part) => schedule.Placement.Of(rank, part).Stage;

    private static LayerTimes[] Alone(Stage stage, BlockTimer timer) => [.. stage.Blocks.Select(block => timer.Of(block).Alone)];

    private static LayerTimes[] Beside(Stage stage, BlockTimer timer) => [.. stage.Blocks.Select(block => timer.Of(block).Beside)];

    /// <summary>Bytes of a micro-batch's activations or their gradients, BF16, to the next stage.</summary>
    public static double TransferBytes(TrainSpec train) => 2.0 * train.MicroBatchTokens * train.Model.Hidden / train.Parallel.Tensor;

    private static double Transfer(TrainSpec train, EfficiencyTable efficiencies)
    {
        var bytes = TransferBytes(train);
        return train.Cluster.Nodes == 1 || AllToAll.NicRate(train.Cluster) == 0
            ? bytes / (train.Cluster.Node.NvlinkBytesPerSecond * efficiencies.Of(WorkClass.NodeExchange).Value)
            : bytes / (AllToAll.NicRate(train.Cluster) * efficiencies.Of(WorkClass.PointToPoint).Value);
    }
}
