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

/// <summary>An op when it ran.</summary>
/// <param name="MicroBatch">Within its pipe; of an overlapped pair, the forward's; of a weight gradient, the one it belongs to.</param>
public sealed record TimedOp(ScheduleOp Op, int MicroBatch, double Start, double End);

/// <summary>A step as it runs.</summary>
/// <param name="Ranks">Ops of each rank in order.</param>
/// <param name="Stuck">Ranks that wait for ever, each with the op it waits at; empty where the schedule is sound.</param>
public sealed record Timeline(ImmutableArray<ImmutableArray<TimedOp>> Ranks, ImmutableArray<(int Rank, ScheduleOp Op)> Stuck)
{
    /// <summary>From the first op to the end of the last.</summary>
    public double Makespan => Ranks.SelectMany(rank => rank).Select(op => op.End).DefaultIfEmpty(0).Max();

    /// <summary>Time in which a rank has nothing to do.</summary>
    public double Bubble(int rank) => Makespan - Ranks[rank].Sum(op => op.End - op.Start);

    /// <summary>Time that a rank spends on ops of a kind.</summary>
    public double Spent(int rank, OpKind kind) => Ranks[rank].Where(op => op.Op.Kind == kind).Sum(op => op.End - op.Start);
}
