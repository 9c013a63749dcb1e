using System.Collections.Immutable;

namespace ModelDsl.Simulation.Schedules;

/// <summary>How long the ops of one part of a rank take, in any one unit.</summary>
/// <param name="Overlapped">A forward and a full backward side by side.</param>
public sealed record OpTimes(double Forward, double BackwardInput, double BackwardWeight, double Overlapped)
{
    public double Of(OpKind kind) => kind switch
    {
        OpKind.Forward => Forward,
        OpKind.BackwardInput => BackwardInput,
        OpKind.BackwardWeight => BackwardWeight,
        OpKind.Backward => BackwardInput + BackwardWeight,
        _ => Overlapped,
    };
}

/// <summary>How long the ops of every rank take.</summary>
/// <param name="Ranks">For every rank those of each of its parts; an overlapped pair counts for the part whose forward it has.</param>
/// <param name="Transfer">Seconds from the end of an op to where its result can be read on another rank.</param>
public sealed record RankTimes(ImmutableArray<ImmutableArray<OpTimes>> Ranks, double Transfer)
{
    /// <summary>The same for all, and transfers take no time.</summary>
    public static RankTimes Uniform(Schedule schedule, OpTimes times) => new(
        [.. Enumerable.Range(0, schedule.Ranks).Select(_ => ImmutableArray.CreateRange(Enumerable.Repeat(times, schedule.Placement.PartsPerRank)))], 0);
}

/// <summary>An op when it ran.</summary>
/// <param name="MicroBatch">Within its pipe; of an overlapped pair, the forward's; of a weight gradient, the one it belongs to, as its part is.</param>
public sealed record TimedOp(ScheduleOp Op, int MicroBatch, double Start, double End);

/// <summary>A step as it runs.</summary>
/// <param name="Ranks">Ops of each rank in order.</param>
/// <param name="Stuck">Ranks that wait for ever, each with the op it waits at; empty where the schedule is sound.</param>
public sealed record Timeline(ImmutableArray<ImmutableArray<TimedOp>> Ranks, ImmutableArray<(int Rank, ScheduleOp Op)> Stuck)
{
    /// <summary>From the first op to the end of the last.</summary>
    public double Makespan { get; } = Ranks.Max(rank => rank.IsEmpty ? 0 : rank[^1].End);

    /// <summary>When a rank is done.</summary>
    public double End(int rank) => Ranks[rank].IsEmpty ? 0 : Ranks[rank][^1].End;

    /// <summary>Time in which a rank has nothing to do.</summary>
    public double Bubble(int rank) => Makespan - Ranks[rank].Sum(op => op.End - op.Start);

    /// <summary>Time that a rank spends on ops of a kind.</summary>
    public double Spent(int rank, OpKind kind) => Ranks[rank].Where(op => op.Op.Kind == kind).Sum(op => op.End - op.Start);
}
