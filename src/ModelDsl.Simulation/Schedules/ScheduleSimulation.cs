using System.Collections.Immutable;

namespace ModelDsl.Simulation.Schedules;

/// <summary>
/// Plays a schedule: each rank goes through its program in order, an op starts when the one before it on the rank has ended and what it
/// needs from other ranks is there.
/// </summary>
public static class ScheduleSimulation
{
    /// <summary>All ranks are equally fast, and transfers take no time.</summary>
    public static Timeline Run(Schedule schedule, OpTimes times) => Run(schedule, RankTimes.Uniform(schedule, times));

    public static Timeline Run(Schedule schedule, RankTimes times) => new Run(schedule, times).Play();
}

internal sealed class Run
{
    private readonly Schedule _schedule;
    private readonly RankTimes _times;
    private readonly double?[,,] _forward;
    private readonly double?[,,] _backward;
    private readonly int[,] _forwards;
    private readonly int[,] _backwards;
    private readonly int[,] _rankOf;
    private readonly double[] _free;
    private readonly Queue<(int Part, int Batch)>[] _weights;

    public Run(Schedule schedule, RankTimes times)
    {
        (_schedule, _times) = (schedule, times);
        var placement = schedule.Placement;
        _forward = new double?[placement.Pipes, placement.Stages, schedule.MicroBatchesPerPipe];
        _backward = new double?[placement.Pipes, placement.Stages, schedule.MicroBatchesPerPipe];
        _forwards = new int[schedule.Ranks, placement.PartsPerRank];
        _backwards = new int[schedule.Ranks, placement.PartsPerRank];
        _rankOf = new int[placement.Pipes, placement.Stages];
        for (var rank = 0; rank < schedule.Ranks; rank++)
            for (var part = 0; part < placement.PartsPerRank; part++)
            {
                var (pipe, stage) = placement.Of(rank, part);
                _rankOf[pipe, stage] = rank;
            }
        _free = new double[schedule.Ranks];
        _weights = [.. Enumerable.Range(0, schedule.Ranks).Select(_ => new Queue<(int, int)>())];
    }

    public Timeline Play()
    {
        var done = _schedule.Programs.Select(program => ImmutableArray.CreateBuilder<TimedOp>(program.Length)).ToArray();
        for (var progress = true; progress;)
        {
            progress = false;
            for (var rank = 0; rank < _schedule.Ranks; rank++)
                while (done[rank].Count < _schedule.Programs[rank].Length && Try(rank, _schedule.Programs[rank][done[rank].Count]) is { } op)
                {
                    done[rank].Add(op);
                    progress = true;
                }
        }

        var stuck = Enumerable.Range(0, _schedule.Ranks).Where(rank => done[rank].Count < _schedule.Programs[rank].Length)
            .Select(rank => (rank, _schedule.Programs[rank][done[rank].Count]));
        return new Timeline([.. done.Select(ops => ops.ToImmutable())], [.. stuck]);
    }

    /// <summary>The op with its times, or null while something it needs is not there.</summary>
    private TimedOp? Try(int rank, ScheduleOp op)
    {
        var start = _free[rank];
        if (op.Kind == OpKind.BackwardWeight)
        {
            if (!_weights[rank].TryDequeue(out var oldest)) return null;
            return Place(rank, op with { Part = oldest.Part }, oldest.Batch, start);
        }

        if (op.IsForward)
        {
            if (InputOf(rank, op.Part) is not { } ready) return null;
            start = Math.Max(start, ready);
        }

        if (op.IsBackward)
        {
            if (GradientOf(rank, op.PartOfBackward) is not { } ready) return null;
            start = Math.Max(start, ready);
        }

        return Place(rank, op, op.IsForward ? _forwards[rank, op.Part] : _backwards[rank, op.Part], start);
    }

    private TimedOp Place(int rank, ScheduleOp op, int batch, double start)
    {
        var end = start + _times.Ranks[rank][op.Kind == OpKind.Overlapped ? op.Part : op.PartOfBackward].Of(op.Kind);
        _free[rank] = end;
        if (op.IsForward)
        {
            var (pipe, stage) = _schedule.Placement.Of(rank, op.Part);
            _forward[pipe, stage, _forwards[rank, op.Part]++] = end;
        }

        if (op.IsBackward)
        {
            var (pipe, stage) = _schedule.Placement.Of(rank, op.PartOfBackward);
            var backward = _backwards[rank, op.PartOfBackward]++;
            _backward[pipe, stage, backward] = end;
            if (op.Kind == OpKind.BackwardInput) _weights[rank].Enqueue((op.Part, backward));
        }

        return new TimedOp(op, batch, start, end);
    }

    /// <summary>When the stage before has made the next micro-batch's activations; null: it has not, or there is none.</summary>
    private double? InputOf(int rank, int part)
    {
        var (pipe, stage) = _schedule.Placement.Of(rank, part);
        var batch = _forwards[rank, part];
        if (batch >= _schedule.MicroBatchesPerPipe) return null;
        return stage == 0 ? 0 : Arrived(_forward[pipe, stage - 1, batch], pipe, stage - 1, rank);
    }

    /// <summary>When the stage behind has made the next micro-batch's gradients and its own forward is done.</summary>
    private double? GradientOf(int rank, int part)
    {
        var (pipe, stage) = _schedule.Placement.Of(rank, part);
        var batch = _backwards[rank, part];
        if (batch >= _schedule.MicroBatchesPerPipe || _forward[pipe, stage, batch] is not { } own) return null;
        return stage == _schedule.Placement.Stages - 1 ? own : Arrived(_backward[pipe, stage + 1, batch], pipe, stage + 1, rank);
    }

    private double? Arrived(double? sent, int pipe, int stage, int rank) => sent + (_rankOf[pipe, stage] == rank ? 0 : _times.Transfer);
}
