using System.Collections.Immutable;

namespace ModelDsl.Simulation.Schedules;

/// <summary>In which order each rank of a pipeline works off its micro-batches.</summary>
/// <param name="Name">As the <c>schedule</c> block says it: <c>dualpipe</c>.</param>
/// <param name="MicroBatches">Of one step, through all pipes together.</param>
/// <param name="Programs">One per rank.</param>
public sealed record Schedule(string Name, int MicroBatches, Placement Placement, ImmutableArray<ImmutableArray<ScheduleOp>> Programs)
{
    public int Ranks => Programs.Length;

    /// <summary>Micro-batches that go through one pipe.</summary>
    public int MicroBatchesPerPipe => MicroBatches / Placement.Pipes;
}

/// <summary>Where the stages are.</summary>
/// <param name="Pipes">Independent pipes through the same ranks: 2 where micro-batches enter at both ends.</param>
/// <param name="Stages">Of one pipe.</param>
/// <param name="PartsPerRank">Stages that a rank holds, of all pipes together.</param>
/// <param name="Of">Pipe and stage of a rank's part.</param>
public sealed record Placement(int Pipes, int Stages, int PartsPerRank, Func<int, int, (int Pipe, int Stage)> Of);
